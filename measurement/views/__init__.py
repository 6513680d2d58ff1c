"""Pages of the measurement plan, by what people come to do."""
