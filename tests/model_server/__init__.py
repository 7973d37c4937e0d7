"""A local server that speaks OpenAI's and Anthropic's wire formats and misbehaves on request."""
