"""The settings of a Celery worker, each with its reason. A message is only a wake-up; the ledger owns retries."""

from celery import Celery

from ledger.settings import Settings


def configure(celery: Celery, settings: Settings) -> None:
    """Set up an application for receiving; `ledger.broker.wakeups.make_celery` has set up what senders need too."""
    celery.conf.update(
        # With late acknowledgement a task longer than the visibility timeout runs again beside itself (celery#5935).
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=settings.broker.startswith("redis"),  # no hoarding; the option knows Redis only
        worker_cancel_long_running_tasks_on_connection_loss=False,  # a broker's blip must not end a training
        worker_enable_remote_control=False,  # cancel is a state of the job; nobody talks to a worker
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=settings.drain_seconds,
        worker_enable_soft_shutdown_on_idle=False,
        broker_connection_max_retries=None,  # a worker waits for its broker as long as it takes
    )
