/* SPDX-License-Identifier: MIT */
#include "daemon/edge/backend_talk.h"

#include <string.h>

#include "base/err.h"

static int tell(struct gp_backend_talk *talk, const struct gp_event *event, size_t *used_out)
{
	return talk->ops->feed(talk->edge, event, used_out);
}

static int feed(void *engine, const uint8_t *data, size_t len, size_t *used_out)
{
	const struct gp_event event = {
		.type = GP_EV_BYTES, .side = GP_BACKEND, .data = data, .len = len
	};
	struct gp_backend_talk *talk = engine;
	int ret = tell(talk, &event, used_out);

	/* an engine that takes nothing waits for the client */
	talk->unheard = *used_out ? len - *used_out : 0;
	return ret;
}

static int end(void *engine)
{
	size_t used;

	return tell(engine, &(struct gp_event){ .type = GP_EV_EOF, .side = GP_BACKEND }, &used);
}

/* The backend is there, in TLS if it has to be. */
static int be_up(void *engine)
{
	struct gp_backend_talk *talk = engine;
	size_t used;

	return tell(talk, &(struct gp_event){ .type = GP_EV_BACKEND_UP, .facts = talk->facts },
		    &used);
}

/* An engine that fails stays failed: the next feed says so. */
static void say(struct gp_backend_talk *talk, const char *text)
{
	const struct gp_event event = { .type = GP_EV_BYTES,
					.side = GP_CLIENT,
					.data = (const uint8_t *)text,
					.len = strlen(text) };
	size_t used;

	(void)tell(talk, &event, &used);
}

static struct gp_drive_action send_or_tell(const struct gp_action *action)
{
	if (action->type == GP_ACT_SEND && action->side == GP_BACKEND)
		return (struct gp_drive_action){ .want = GP_DRIVE_SEND,
						 .data = gp_str_from(action->data, action->len) };
	return (struct gp_drive_action){ .want = GP_DRIVE_TELL, .own = action };
}

/* The engine's next action; false when the drive need not know of it. */
static bool translate(struct gp_backend_talk *talk, struct gp_drive_action *action_out)
{
	const struct gp_action *action = &talk->action;

	switch (action->type) {
	case GP_ACT_SEND:
	case GP_ACT_REPORT:
		*action_out = send_or_tell(action);
		return true;
	case GP_ACT_DIAL:
	case GP_ACT_DIAL_TRUSTED:
		talk->stage = GP_BACKEND_WANTED;
		return false;
	case GP_ACT_CLOSE:
		talk->over = true;
		return false;
	default: /* about the client's connection, or its time */
		return false;
	}
}

/* A step towards the backend; false when it is up. */
static bool greet(struct gp_backend_talk *talk, struct gp_drive_action *action_out)
{
	if (talk->stage == GP_BACKEND_WANTED) {
		talk->stage = GP_BACKEND_GREETED;
		*action_out = (struct gp_drive_action){ .want = GP_DRIVE_SEND,
							.data = talk->header };
		if (talk->header.len)
			return true;
	}
	talk->stage = GP_BACKEND_UP;
	if (talk->tls)
		*action_out = (struct gp_drive_action){ .want = GP_DRIVE_START_TLS };
	else
		(void)be_up(talk);
	return talk->tls;
}

static bool is_on_the_way(const struct gp_backend_talk *talk)
{
	return talk->stage == GP_BACKEND_WANTED || talk->stage == GP_BACKEND_GREETED;
}

static bool next(void *engine, struct gp_drive_action *action_out)
{
	struct gp_backend_talk *talk = engine;
	const char *text;

	while (!talk->over) {
		if (talk->ops->next(talk->edge, &talk->action)) {
			if (translate(talk, action_out))
				return true;
		} else if (is_on_the_way(talk)) {
			if (greet(talk, action_out))
				return true;
		} else {
			text = talk->unheard ? NULL : talk->ask(talk);
			if (text)
				say(talk, text);
			else if (!talk->over)
				return false;
		}
	}
	*action_out = (struct gp_drive_action){ .want = GP_DRIVE_CLOSE };
	return true;
}

const struct gp_drive_engine gp_backend_talk_engine = {
	.feed = feed, .end = end, .tls_up = be_up, .next = next
};
