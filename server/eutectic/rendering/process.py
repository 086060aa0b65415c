"""A worker's process: one thread reads orders, the main one owns the model and carries them out."""

from __future__ import annotations

import os
import queue
import threading
from typing import BinaryIO

import psutil
import torch

from eutectic.errors import BadInput, BadOutput
from eutectic.rendering import protocol
from eutectic.rendering.finishing import Failed, reasons
from eutectic.rendering.pool import Reference
from eutectic.rendering.protocol import Answer, Did, Ended, Learn, Learned, Order, Ready, Refused
from eutectic.rendering.worker import Worker


def run(orders: BinaryIO, answers: BinaryIO) -> int:
    """Load the model, then carry out orders until their pipe closes."""

    def send(answer: Answer) -> None:
        try:
            answers.write(protocol.line(answer))
        except BrokenPipeError:
            os._exit(0)

    start = protocol.decode_start(orders.readline())
    waiting: queue.SimpleQueue[Order] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(orders, waiting), daemon=True).start()
    try:
        worker = Worker.start(start.setup, start.name, start.memory_bytes, start.processors)
    except BadInput as error:
        send(Refused(str(error)))
        return 2
    device = worker.engine.model.device.type
    count = torch.cuda.device_count() if device == "cuda" else 1
    send(Ready(device, count, psutil.Process().memory_info().rss))
    while True:
        order = waiting.get()
        try:
            if isinstance(order, Learn):
                send(Learned(_learned(worker, order)))
            else:
                worker.render(order.batch, lambda row: send(Did(row)))
            send(Ended())
        except BadOutput as error:
            send(Refused(str(error)))


def _learned(worker: Worker, order: Learn) -> Reference:
    own = torch.get_num_threads()
    torch.set_num_threads(order.threads)
    try:
        with reasons():
            return Reference(order.wanted, worker.learn(order.wanted))
    except Failed as failed:
        return Reference(order.wanted, reason=failed.reason)
    finally:
        torch.set_num_threads(own)


def _read(orders: BinaryIO, waiting: queue.SimpleQueue[Order]) -> None:
    """Queue orders; when the pool closes the pipe, or dies, end this process at once.

    The destination's journal makes that harmless.
    """
    for line in orders:
        waiting.put(protocol.decode_order(line))
    os._exit(0)
