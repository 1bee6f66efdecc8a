# SPDX-License-Identifier: MIT
"""HAProxy as a second opinion on the PROXY protocol: it receives from gatepost, or it sends to it."""

from lab import connects, eventually

CONFIG = """global
  log stdout format raw local0
defaults
  mode tcp
  timeout connect 30s
  timeout client 5m
  timeout server 5m
frontend in
  bind {listen} {accept}
  log global
  log-format "session client=%ci:%cp authority=%[fc_pp_authority] id=%[fc_pp_unique_id]"
  default_backend out
backend out
  {source}
  server out {target} {send}
"""


def start(lab, name, listen, target, accept="", send="", source=None):
	"""`accept` and `send`: words of HAProxy such as accept-proxy, send-proxy-v2. The process, serving."""
	text = CONFIG.format(listen=listen, accept=accept, target=target, send=send,
		source=f"source {source}" if source else "")
	process = lab.start(name, ["haproxy", "-db", "-f", lab.write(name + ".cfg", text)])
	eventually(lambda: connects(listen) or not process.running(), name)
	if not process.running():
		process.wait()
		raise AssertionError(f"{name} did not start:\n" + process.tail())
	return process
