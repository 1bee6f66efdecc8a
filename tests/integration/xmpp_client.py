# SPDX-License-Identifier: MIT
"""A slixmpp client that says what happens to it, a line each: session, message FROM TEXT, failed, ended.

xmpp_client.py JID PASSWORD HOST PORT starttls|direct|clear ROOT DIRECTORY [CHAIN KEY]: sends what files DIRECTORY/say-N hold:
"TO TEXT". With a certificate of its own it logs in by SASL EXTERNAL.
"""

import asyncio
import os
import sys

import slixmpp

POLL_S = 0.02


class Client(slixmpp.ClientXMPP):
	def __init__(self, jid, password, directory, **more):
		super().__init__(jid, password, **more)
		self.directory, self.said = directory, 0
		self.add_event_handler("session_start", self.on_session)
		self.add_event_handler("message", self.on_message)
		for name in ("failed_auth", "disconnected", "connection_failed", "stream_error"):
			self.add_event_handler(name, self.on_end)

	async def on_session(self, _):
		self.send_presence()
		await self.get_roster()
		print("session", self.boundjid.full)
		asyncio.ensure_future(self.say_files())

	def on_message(self, message):
		print("message", message["from"].bare, message["body"])

	def on_end(self, event):
		print("ended", type(event).__name__, str(event).replace("\n", " "))

	async def say_files(self):
		while True:
			path = os.path.join(self.directory, f"say-{self.said + 1}")
			if os.path.exists(path):
				self.said += 1
				with open(path, encoding="utf-8") as file:
					to, _, text = file.read().partition(" ")
				self.send_message(mto=to, mbody=text, mtype="chat")
			await asyncio.sleep(POLL_S)


def main(jid, password, host, port, way, root, directory, chain=None, key=None):
	mechanisms = {"unencrypted_plain": way == "clear", "use_mech": "EXTERNAL" if chain else None}
	client = Client(jid, password, directory, plugin_config={"feature_mechanisms": mechanisms})
	client.certfile, client.keyfile = chain, key
	if root != "-":
		client.ca_certs = root
	client.connect(address=(host, int(port)), use_ssl=way == "direct", disable_starttls=way != "starttls",
		force_starttls=way == "starttls")
	client.loop.run_forever()


main(*sys.argv[1:])
