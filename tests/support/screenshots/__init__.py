"""Pictures of a conversation with the bot on Slack and on Telegram, made from what the bot really sends."""
