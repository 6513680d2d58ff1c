"""What script/bench measures with: a portal of many proposals, bare views to compare with, and the budgets.

Nothing here is part of the product's addresses: only the settings of the bench know these views.
"""
