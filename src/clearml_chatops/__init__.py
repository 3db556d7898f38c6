"""Chat-ops for ClearML: experiments, queues and workers from Slack, Telegram and the terminal."""
