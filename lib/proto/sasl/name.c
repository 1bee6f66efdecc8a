/* SPDX-License-Identifier: MIT */
#include "proto/sasl/name.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"

/* message = [authzid] NUL authcid NUL passwd (RFC 4616 section 2) */
static struct gp_str plain_name(struct gp_str message)
{
	gp_str_split(&message, '\0');
	return gp_str_split(&message, '\0');
}

/* LOGIN: the first answer is the name. EXTERNAL: the authorization identity
 * (RFC 4422 appendix A), often empty. */
static struct gp_str whole_name(struct gp_str message)
{
	return message;
}

/* The value after `key` in a list separated by `sep`. */
static struct gp_str value_of(struct gp_str message, char sep, const char *key, size_t key_len)
{
	while (message.len) {
		struct gp_str part = gp_str_split(&message, sep);

		if (gp_str_starts_nocase(part, key))
			return (struct gp_str){ part.p + key_len, part.len - key_len };
	}
	return (struct gp_str){ "", 0 };
}

/* n,a=authzid,n=user,r=nonce (RFC 5802 section 7) */
static struct gp_str scram_name(struct gp_str message)
{
	return value_of(message, ',', "n=", 2);
}

/* n,a=user@example.org,\x01auth=Bearer ... (RFC 7628 section 3.1) */
static struct gp_str oauthbearer_name(struct gp_str message)
{
	return value_of(message, ',', "a=", 2);
}

/* user=...\x01auth=Bearer ...\x01\x01 (a Google mechanism, widely spoken) */
static struct gp_str xoauth2_name(struct gp_str message)
{
	return value_of(message, '\1', "user=", 5);
}

static const struct {
	const char *mechanism;
	struct gp_str (*find)(struct gp_str message);
} finders[] = {
	{ "PLAIN", plain_name },
	{ "LOGIN", whole_name },
	{ "EXTERNAL", whole_name },
	{ "SCRAM-SHA-1", scram_name },
	{ "SCRAM-SHA-256", scram_name },
	{ "SCRAM-SHA-512", scram_name },
	{ "OAUTHBEARER", oauthbearer_name },
	{ "XOAUTH2", xoauth2_name },
};

void gp_sasl_name(const char *mechanism, struct gp_str base64, char *name_out, size_t size)
{
	struct gp_buf message;

	name_out[0] = '\0';
	gp_buf_init(&message, base64.len);
	if (gp_base64_decode(base64, &message) != GP_OK)
		goto out;
	for (size_t i = 0; i < sizeof(finders) / sizeof(*finders); i++) {
		struct gp_str text = gp_str_from(message.data, message.len);

		if (!gp_str_equal_nocase(gp_str_of(mechanism), finders[i].mechanism))
			continue;
		gp_str_copy(finders[i].find(text), name_out, size);
		break;
	}
out:
	gp_buf_deinit(&message);
}
