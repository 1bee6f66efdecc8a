/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/err.h"
#include "daemon/supervisor/snapshot_steps.h"
#include "tls/digest.h"

static int read_one(struct gp_snapshot *snapshot, const char *path, struct gp_publish_next_key *key,
		    struct gp_buf *errors)
{
	struct gp_buf pem;
	int ret = gp_snapshot_read_file(snapshot, path, &pem, errors);

	if (ret == GP_OK) {
		ret = gp_spki_sha256(gp_str_from(pem.data, pem.len), key->spki_sha256);
		if (ret != GP_OK)
			gp_buf_appendf(errors,
				       "%s: next-key contains no key in PEM format, private "
				       "(without passphrase) or public\n",
				       path);
	}
	key->known = ret == GP_OK;
	gp_buf_deinit(&pem);
	return ret;
}

int gp_snapshot_read_next_keys(struct gp_snapshot *snapshot, struct gp_publish_next_key **keys_out,
			       struct gp_buf *errors)
{
	const struct gp_conf *conf = snapshot->conf;
	struct gp_publish_next_key *keys = calloc(conf->certificate_count + 1, sizeof(*keys));
	int ret = keys ? GP_OK : GP_E_NOMEM;

	for (size_t i = 0; keys && i < conf->certificate_count; i++) {
		const char *path = conf->certificates[i].next_key;
		int one = path ? read_one(snapshot, path, &keys[i], errors) : GP_OK;

		if (ret == GP_OK)
			ret = one;
	}
	*keys_out = keys;
	return ret;
}
