// What the sections of a proposal do where there is JavaScript; without it they work the same, one save at a time.
import { revealWhatIsAsked } from "./asked-if.mjs";
import { addUpBudget } from "./budget-sum.mjs";

revealWhatIsAsked();
addUpBudget();
