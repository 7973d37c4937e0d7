"""The task files of lm-eval, as its entry point `lm_eval.tasks` finds them."""
