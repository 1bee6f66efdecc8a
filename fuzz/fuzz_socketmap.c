/* SPDX-License-Identifier: MIT */
/* Requests and replies of Postfix's socketmap protocol, one behind the other as on a connection. */
#include "proto/socketmap.h"

#include <string.h>

#include "base/err.h"
#include "fuzz.h"

static void read_requests(struct gp_str input)
{
	struct gp_socketmap_request request;
	size_t used;

	while (gp_socketmap_request_parse(input, &request, &used) == GP_OK) {
		MUST(used && used <= input.len);
		MUST(request.map.len && request.map.p + request.map.len <= input.p + used);
		MUST(request.key.len < used);
		input.p += used;
		input.len -= used;
	}
}

/* What was understood is written again and understood as the same. */
static void repeat(const struct gp_socketmap_reply *reply)
{
	struct gp_socketmap_reply again;
	struct gp_buf out;
	size_t used;

	gp_buf_init(&out, GP_SOCKETMAP_FRAME_MAX);
	if (!memchr(reply->text.p, '\0', reply->text.len) &&
	    gp_socketmap_reply_format(reply->word, reply->text, &out) == GP_OK) {
		MUST(gp_socketmap_reply_parse(gp_str_from(out.data, out.len), &again, &used) ==
		     GP_OK);
		MUST(used == out.len && again.word == reply->word);
	}
	gp_buf_deinit(&out);
}

static void read_replies(struct gp_str input)
{
	struct gp_socketmap_reply reply;
	size_t used;

	while (gp_socketmap_reply_parse(input, &reply, &used) == GP_OK) {
		MUST(used && used <= input.len && reply.text.len < used);
		repeat(&reply);
		input.p += used;
		input.len -= used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_requests(gp_str_from(data, size));
	read_replies(gp_str_from(data, size));
	return 0;
}
