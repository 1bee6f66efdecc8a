/* SPDX-License-Identifier: MIT */
#include "dialogue.h"

#include <string.h>
#include <strings.h>

#define SIEVE_CAPABILITIES                                          \
	"\"IMPLEMENTATION\" \"stub\"\r\n\"SIEVE\" \"fileinto\"\r\n" \
	"\"SASL\" \"PLAIN\"\r\n\"VERSION\" \"1.0\"\r\nOK \"ready\"\r\n"

const struct dialogue dialogues[DIALOGUES] = {
	{ "pop3",
	  "+OK stub ready\r\n",
	  "-ERR unknown command\r\n",
	  NULL,
	  '\n',
	  { { "CAPA", "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n", AFTER_NOTHING },
	    { "AUTH", "+OK logged in\r\n", AFTER_NOTHING },
	    { "USER", "+OK\r\n", AFTER_NOTHING },
	    { "PASS", "+OK logged in\r\n", AFTER_NOTHING },
	    { "QUIT", "+OK bye\r\n", AFTER_CLOSE } } },
	{ "smtp",
	  "220 stub.test ESMTP\r\n",
	  "250 2.0.0 fine\r\n",
	  "250 2.0.0 taken\r\n",
	  '\n',
	  { { "EHLO",
	      "250-stub.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n"
	      "250-AUTH PLAIN\r\n250 XCLIENT ADDR PORT PROTO LOGIN\r\n",
	      AFTER_NOTHING },
	    { "XCLIENT", "220 stub.test ESMTP\r\n", AFTER_NOTHING },
	    { "AUTH", "235 2.7.0 logged in\r\n", AFTER_NOTHING },
	    { "DATA", "354 go ahead\r\n", AFTER_DATA },
	    { "QUIT", "221 2.0.0 bye\r\n", AFTER_CLOSE } } },
	{ "sieve",
	  SIEVE_CAPABILITIES,
	  "NO \"unknown command\"\r\n",
	  NULL,
	  '\n',
	  { { "CAPABILITY", SIEVE_CAPABILITIES, AFTER_NOTHING },
	    { "AUTHENTICATE", "OK\r\n", AFTER_NOTHING },
	    { "LOGOUT", "OK\r\n", AFTER_CLOSE } } },
	{ "xmpp",
	  "",
	  "",
	  NULL,
	  '>',
	  { { "<STREAM:STREAM",
	      "<?xml version='1.0'?><stream:stream from='mail.example.test' id='1' version='1.0' "
	      "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	      "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
	      "<mechanism>PLAIN</mechanism></mechanisms></stream:features>",
	      AFTER_NOTHING },
	    { "</STREAM:STREAM", "</stream:stream>", AFTER_CLOSE } } },
};

const struct rule *dialogue_rule(const struct dialogue *dialogue, const char *command)
{
	const struct rule *rule;

	for (rule = dialogue->rules; rule->begins != NULL; rule++)
		if (strncasecmp(command, rule->begins, strlen(rule->begins)) == 0)
			return rule;
	return NULL;
}
