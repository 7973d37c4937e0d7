"""The tasks inside lm-evaluation-harness: `lm_eval --tasks privacy_collapse`.

`tasks` has one class for each task, which the YAML files in `privacy_collapse/` name; these are
installed among lm-eval's own tasks as well, where its stock command finds them.
"""
