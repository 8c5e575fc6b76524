"""When a model may be promoted: the rules, what is judged by them, and the decision."""
