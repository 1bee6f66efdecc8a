# SPDX-License-Identifier: MIT
"""Real messages: plain, 8-bit, multipart, large."""

import hashlib
import random
from email.message import EmailMessage
from email.policy import SMTP


def headers(subject, sender="Carol <carol@example.test>"):
	message = EmailMessage(policy=SMTP.clone(cte_type="8bit"))
	message["From"] = sender
	message["To"] = "alice@example.test"
	message["Subject"] = subject
	message["Date"] = "Thu, 01 Jan 2026 12:00:00 +0000"
	message["Message-ID"] = f"<{hashlib.sha256(subject.encode()).hexdigest()[:16]}@example.test>"
	return message


def plain():
	message = headers("Lunch on Friday")
	message.set_content("Shall we meet at the old gate?\r\n\r\n.A line that begins with a dot.\r\n.\r\nCarol\r\n")
	return message.as_bytes()


def eight_bit():
	message = headers("Grüße aus Köln")
	message.set_content("Schöne Grüße, à bientôt, до встречи, 再见.\n", cte="8bit")
	return message.as_bytes()


def multipart():
	message = headers("Minutes of the meeting")
	message.set_content("The minutes, as text.\n")
	message.add_alternative("<p>The minutes, as <b>hypertext</b>.</p>\n", subtype="html")
	message.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), maintype="image", subtype="png",
		filename="gate.png")
	return message.as_bytes()


def attachment(mebibytes=20):
	"""The bytes of a large attachment; always the same."""
	return random.Random(mebibytes).randbytes(mebibytes * 1024 * 1024)


def large(mebibytes=20):
	message = headers(f"A scan of {mebibytes} MiB")
	message.set_content("See the attachment.\n")
	message.add_attachment(attachment(mebibytes), maintype="application", subtype="octet-stream",
		filename="scan.bin")
	return message.as_bytes()


def all_kinds():
	return [*small_kinds(), large()]


def small_kinds():
	return [plain(), eight_bit(), multipart()]
