/* SPDX-License-Identifier: MIT */
#include "publish/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/domain.h"
#include "tls/digest.h"

int gp_publish_policy_init(struct gp_publish_policy *policy, const struct gp_conf *conf,
			   const struct gp_conf_domain *domain)
{
	size_t ours = gp_conf_mx_count(domain), all = ours + domain->other_mx.count;
	int ret = GP_OK;

	*policy = (struct gp_publish_policy){ .mode = domain->mta_sts,
					      .max_age_s = domain->mta_sts_max_age_ms / 1000 };
	policy->mx = calloc(all + 1, sizeof(*policy->mx));
	if (!policy->mx)
		return GP_E_NOMEM;
	for (size_t i = 0; i < all && ret == GP_OK; i++) {
		ret = gp_conf_mx_pattern(i < ours ? gp_conf_mx(conf, domain, i)
						  : domain->other_mx.items[i - ours],
					 policy->mx[i]);
		policy->mx_count++;
	}
	return ret;
}

void gp_publish_policy_deinit(struct gp_publish_policy *policy)
{
	free(policy->mx);
	policy->mx = NULL;
	policy->mx_count = 0;
}

const char *gp_publish_mode_name(int mode)
{
	switch (mode) {
	case GP_CONF_STS_TESTING:
		return "testing";
	case GP_CONF_STS_ENFORCE:
		return "enforce";
	default:
		return "none";
	}
}

int gp_publish_policy_body(const struct gp_publish_policy *policy, struct gp_buf *out)
{
	int ret = gp_buf_appendf(out, "version: STSv1\r\nmode: %s\r\n",
				 gp_publish_mode_name(policy->mode));

	for (size_t i = 0; i < policy->mx_count && ret == GP_OK; i++)
		ret = gp_buf_appendf(out, "mx: %s\r\n", policy->mx[i]);
	if (ret == GP_OK)
		ret = gp_buf_appendf(out, "max_age: %llu\r\n",
				     (unsigned long long)policy->max_age_s);
	return ret;
}

int gp_publish_policy_id(struct gp_str body, char id_out[static GP_PUBLISH_ID_SIZE])
{
	uint8_t digest[GP_SHA256_BYTES];
	char text[GP_SHA256_TEXT];
	int ret = gp_sha256(body, digest);

	if (ret != GP_OK)
		return ret;
	gp_sha256_format(digest, text);
	gp_str_copy(gp_str_of(text), id_out, GP_PUBLISH_ID_SIZE);
	return GP_OK;
}

int gp_publish_entry_body(const struct gp_conf *conf, const struct gp_conf_domain *domain,
			  struct gp_buf *body, char id_out[static GP_PUBLISH_ID_SIZE])
{
	struct gp_publish_policy policy;
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, GP_PUBLISH_BODY_MAX);
	ret = gp_publish_policy_init(&policy, conf, domain);
	if (ret == GP_OK)
		ret = gp_publish_policy_body(&policy, &text);
	if (ret == GP_OK)
		ret = gp_publish_policy_id(gp_str_from(text.data, text.len), id_out);
	if (ret == GP_OK && body)
		ret = gp_buf_append(body, text.data, text.len);
	gp_publish_policy_deinit(&policy);
	gp_buf_deinit(&text);
	return ret;
}
