# ruff: noqa: INP001, T201
"""A tiny training: prints its arguments and reports a falling loss."""

import argparse
import time

from clearml import Task

task: Task = Task.init(
    project_name="vision",
    task_name="baseline",
    auto_connect_frameworks=False,
    auto_resource_monitoring=False,
)

parser = argparse.ArgumentParser()
parser.add_argument("--gpus", type=str, default="0", help="GPUs to train on, comma separated")
parser.add_argument("--lr", type=float, default=0.1, help="learning rate")
parser.add_argument("--epochs", type=int, default=3, help="passes over the data")
parser.add_argument("--batch_size", type=int, default=32, help="images per step")
parser.add_argument("--backbone", type=str, default="resnet18", help="network to train")
args = parser.parse_args()

print(f"gpus={args.gpus} lr={args.lr} epochs={args.epochs} batch_size={args.batch_size}", flush=True)

logger = task.get_logger()
for epoch in range(args.epochs):
    loss = 1 / (1 + args.lr * 10 * (epoch + 1))
    logger.report_scalar("loss", "train", iteration=epoch, value=loss)
    print(f"epoch {epoch + 1}/{args.epochs} loss={loss:.4f}", flush=True)
    time.sleep(0.5)

print("done", flush=True)
