"""What happens to experiments and who gets notified: the watcher, subscriptions, alerts and alarms."""
