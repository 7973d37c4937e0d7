"""Results and data in the forms that others read: the Hugging Face hub, Every Eval Ever, Inspect.

Each module makes one of them; what it writes is checked in the tests by the other side's own code.
"""
