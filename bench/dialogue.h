/* SPDX-License-Identifier: MIT */
/* What mailstub answers in the protocols that need no more than a table. */
#ifndef GP_BENCH_DIALOGUE_H
#define GP_BENCH_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>

enum after { AFTER_NOTHING, AFTER_DATA, AFTER_CLOSE };

struct rule {
	const char *begins; /* of a command, in upper case */
	const char *reply;
	enum after after;
};

struct dialogue {
	const char *name; /* as nginx mail calls it, and in mailstub's ports */
	const char *greeting;
	const char *unknown;  /* the reply to what no rule has */
	const char *received; /* the reply to a message */
	char end;             /* of a command: LF, or > of XML */
	struct rule rules[8];
};

enum { DIALOGUES = 4 };
extern const struct dialogue dialogues[DIALOGUES];

/* The rule for a command, NULL when there is none. */
const struct rule *dialogue_rule(const struct dialogue *dialogue, const char *command);

#endif
