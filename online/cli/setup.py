"""`lockgate init`: the data folder with its settings, the station key and an empty store."""

from __future__ import annotations

import click

from online.cli.app import App, pass_app
from online.cli.output import fields, json_option, note
from online.config import DEFAULT_URL
from shared.face.prompts import ask_new_secret


@click.command()
@click.option("--network", default="xrpl:local", show_default=True, help="The network, such as xrpl:mainnet.")
@click.option("--url", default=DEFAULT_URL, show_default=True, help="The node's address.")
@click.option("--name", default="coordinator", show_default=True, help="The station's name.")
@click.option("--kdf", type=click.Choice(["standard", "light"]), default="standard", show_default=True)
@json_option
@pass_app
def init(app: App, network: str, url: str, name: str, kdf: str, *, as_json: bool) -> None:
    """Set up a coordinator. Prompts: the station's new passphrase, twice.

    Carry the station's line that it prints to the signer's policy.
    """
    from online import config
    from online.people import new_station
    from online.store.database import open_store
    from shared.people import check_name

    made = config.create(app.home, check_name(name), network, url)
    try:
        key = new_station(made, ask_new_secret("new station passphrase"), kdf)
    except BaseException:
        (made.home / "config.toml").unlink()  # so that the next try begins anew
        raise
    open_store(made.store_url).close()
    fields({"home": str(made.home), "network": network, "station": key.line}, as_json=as_json)
    if not as_json:
        note("next: people (`lockgate person new`), the signer (`lockgate wallet pair`), its cards")
