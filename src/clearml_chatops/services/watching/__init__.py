"""What has happened, and who is told of it: the watcher, subscriptions, alerts and alarms."""
