/* SPDX-License-Identifier: MIT */
#include "identity/host.h"

#include <string.h>

#include "base/err.h"

static int refuse(const char *reason, const char **reason_out)
{
	*reason_out = reason;
	return GP_E_SYNTAX;
}

/* GP_E_NOT_FOUND: it is no address. */
static int read_address(struct gp_str text, struct gp_host *host_out, const char **reason_out)
{
	bool brackets = text.len > 1 && text.p[0] == '[' && text.p[text.len - 1] == ']';
	char address[GP_IP_TEXT_SIZE];

	if (brackets) {
		text.p++;
		text.len -= 2;
	}
	gp_str_copy(text, address, sizeof(address));
	if (text.len < sizeof(address) &&
	    gp_endpoint_parse_ip(address, &host_out->address) == GP_OK) {
		gp_endpoint_format_ip(&host_out->address, host_out->name);
		return GP_OK;
	}
	if (brackets)
		return refuse("there is no IP address between the brackets", reason_out);
	return GP_E_NOT_FOUND;
}

/* "127.1" and "0x7f.1" are addresses to some, and no top-level domain begins with a digit. */
static bool looks_like_address(const char *domain)
{
	const char *dot = strrchr(domain, '.');
	char first = dot ? dot[1] : domain[0];

	return first >= '0' && first <= '9';
}

static int judge_domain(const char *domain, bool single_label, const char **reason_out)
{
	if (looks_like_address(domain))
		return refuse("it is neither a domain nor an IP address (RFC 9525 section 3)",
			      reason_out);
	if (strchr(domain, '_'))
		return refuse("it has characters that no host name has (RFC 1123 section 2.1)",
			      reason_out);
	if (!single_label && !strchr(domain, '.'))
		return refuse("it is a single label and no complete name (RFC 9525 section 2)",
			      reason_out);
	return GP_OK;
}

static int read_domain(const char *text, bool single_label, struct gp_host *host_out,
		       const char **reason_out)
{
	int ret = gp_domain_to_ascii(text, host_out->name);

	*reason_out = "out of memory";
	if (ret == GP_E_NOMEM)
		return ret;
	if (ret != GP_OK)
		return refuse("it is not a domain in letters, digits and hyphens, nor in U-labels "
			      "(RFC 9525 section 6.3)",
			      reason_out);
	return judge_domain(host_out->name, single_label, reason_out);
}

int gp_host_parse(struct gp_str text, bool single_label, struct gp_host *host_out,
		  const char **reason_out)
{
	char copy[4 * GP_DOMAIN_SIZE]; /* U-labels take more bytes */
	int ret;

	memset(host_out, 0, sizeof(*host_out));
	if (!text.len || text.len >= sizeof(copy) || memchr(text.p, '\0', text.len))
		return refuse("it is empty, too long or has a NUL", reason_out);
	if (text.p[0] == '.' || memchr(text.p, '*', text.len))
		return refuse("a wildcard or a dot in front is for what a server shows "
			      "(RFC 9525 section 6.3)",
			      reason_out);
	ret = read_address(text, host_out, reason_out);
	if (ret != GP_E_NOT_FOUND)
		return ret;
	gp_str_copy(text, copy, sizeof(copy));
	return read_domain(copy, single_label, host_out, reason_out);
}

int gp_host_of_mail(const char *name, struct gp_host *host_out, const char **reason_out)
{
	memset(host_out, 0, sizeof(*host_out));
	if (gp_domain_as_written(name, host_out->name) != GP_OK)
		return refuse(
			"it is not a domain in letters, digits and hyphens (RFC 1123 section 2.1)",
			reason_out);
	return judge_domain(host_out->name, false, reason_out);
}
