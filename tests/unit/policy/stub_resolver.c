/* SPDX-License-Identifier: MIT */
#include "stub_resolver.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/err.h"
#include "dns/name.h"

struct gp_dns_question {
	TAILQ_ENTRY(gp_dns_question) link;
	char name[GP_DNS_NAME_SIZE];
	enum gp_dns_type type;
	gp_dns_answered answered;
	void *arg;
	bool silent;
};

static TAILQ_HEAD(, gp_dns_question) questions = TAILQ_HEAD_INITIALIZER(questions);

int gp_resolver_ask(struct gp_resolver *resolver, const char *name, enum gp_dns_type type,
		    gp_dns_answered answered, void *arg, struct gp_dns_question **question_out)
{
	struct gp_dns_question *question = calloc(1, sizeof(*question));

	(void)resolver;
	if (!question)
		return GP_E_NOMEM;
	if (gp_dns_name_normalize(name, question->name) != GP_OK) {
		free(question);
		return GP_E_SYNTAX;
	}
	question->type = type;
	question->answered = answered;
	question->arg = arg;
	TAILQ_INSERT_TAIL(&questions, question, link);
	*question_out = question;
	return GP_OK;
}

void gp_dns_question_cancel(struct gp_dns_question *question)
{
	if (!question)
		return;
	TAILQ_REMOVE(&questions, question, link);
	free(question);
}

bool stub_peek(const char **name_out, enum gp_dns_type *type_out)
{
	const struct gp_dns_question *first = TAILQ_FIRST(&questions);

	if (!first)
		return false;
	*name_out = first->name;
	*type_out = first->type;
	return true;
}

static struct gp_dns_question *next_to_answer(void)
{
	struct gp_dns_question *question;

	TAILQ_FOREACH(question, &questions, link)
	{
		if (!question->silent)
			return question;
	}
	return NULL;
}

void stub_answer_all(stub_answers answers, void *arg)
{
	struct gp_dns_question *question;

	while ((question = next_to_answer()) != NULL) {
		struct gp_dns_answer answer = { .provenance = GP_SECURE,
						.canonical = question->name,
						.ttl_s = 60 };

		answers(arg, question->name, question->type, &answer);
		if (answer.provenance == GP_UNASKED) {
			question->silent = true;
			continue;
		}
		TAILQ_REMOVE(&questions, question, link);
		question->answered(question->arg, &answer);
		free(question);
	}
}

size_t stub_waiting(void)
{
	const struct gp_dns_question *question;
	size_t count = 0;

	TAILQ_FOREACH(question, &questions, link)
	{
		count++;
	}
	return count;
}
