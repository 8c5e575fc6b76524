"""Tells a webhook what flows came to (``python -m flows.notify URL``).

It asks the Prefect server at ``PREFECT_API_URL`` to post a message when a flow run fails, crashes
or is cancelled, and when the gate has decided. Setting it up again replaces the address.
"""

import sys
from datetime import timedelta
from uuid import UUID

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.exceptions import PrefectException
from pydantic import SecretStr

from sanmodel.errors import SanError

NAME = "san-notifications"
"""Of the block and of the automation."""

TOLD = ("Failed", "Crashed", "Cancelled", "TimedOut", "Promoted", "Refused")
"""Names of the states that are told."""

TOLD_OF_EACH = {
    "flow": "flow.name",
    "run": "flow_run.name",
    "state": "flow_run.state.name",
    "message": "flow_run.state.message",
    "page": "flow_run | ui_url",
}
"""What is posted, a JSON object: where Prefect's templates have each of it."""


def notify(url: str) -> None:
    """Let the server post to a webhook from now on.

    Args:
        url: Of the webhook.

    Raises:
        SanError: If it is no address, or the Prefect server cannot be reached.
    """
    if not url.startswith(("http://", "https://")):
        raise SanError(f"{url} is no address of a webhook: give one with https://")
    try:
        block = Webhook(url=SecretStr(url)).save(NAME, overwrite=True)
        assert isinstance(block, UUID)  # outside of an event loop it is no coroutine
        _forget()
        Automation(
            name=NAME,
            description="What flows came to, for a person.",
            trigger=EventTrigger(
                posture=Posture.Reactive,
                match={"prefect.resource.id": "prefect.flow-run.*"},
                expect={f"prefect.flow-run.{state}" for state in TOLD},
                threshold=1,
                within=timedelta(0),
            ),
            actions=[CallWebhook(block_document_id=block, payload=_payload())],
        ).create()
    except (PrefectException, OSError) as error:
        raise SanError(f"the Prefect server refused ({error}): set PREFECT_API_URL") from error


def _payload() -> str:
    """Return a template of the message; whatever a state says, it is JSON."""
    parts = [f'"{name}": {{{{ {value} | tojson }}}}' for name, value in TOLD_OF_EACH.items()]
    return f"{{{', '.join(parts)}}}"


def _forget() -> None:
    """Delete what an earlier call set up."""
    with get_client(sync_client=True) as client:
        for one in client.read_automations_by_name(NAME):
            client.delete_automation(one.id)


if __name__ == "__main__":
    try:
        notify(sys.argv[1])
    except SanError as error:
        sys.exit(f"error: {error}")
    print("the Prefect server posts to the webhook when flows fail and when the gate has decided")
