/* SPDX-License-Identifier: MIT */
#include "identity/domain.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

enum { LABEL_MAX = 63 };

/* Letters, digits, hyphens within; and the underscore, which names of services begin with. */
static bool is_label(struct gp_str label)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

	if (!label.len || label.len > LABEL_MAX || label.p[0] == '-' ||
	    label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!label.p[i] || !strchr(letters, label.p[i]))
			return false;
	}
	return true;
}

static bool is_domain(const char *text)
{
	struct gp_str rest = gp_str_of(text);
	struct in_addr address;

	if (!rest.len || rest.len >= GP_DOMAIN_SIZE || rest.p[rest.len - 1] == '.' ||
	    inet_pton(AF_INET, text, &address) == 1)
		return false;
	do {
		if (!is_label(gp_str_split(&rest, '.')))
			return false;
	} while (rest.len);
	return true;
}

static void drop_root(char *text)
{
	size_t len = strlen(text);

	if (len && text[len - 1] == '.')
		text[len - 1] = '\0';
}

static int convert(const char *text, int flags, char out[static GP_DOMAIN_SIZE])
{
	uint8_t *ascii = NULL;
	int ret = idn2_lookup_u8((const uint8_t *)text, &ascii, IDN2_NFC_INPUT | flags);

	if (ret != IDN2_OK)
		return ret == IDN2_MALLOC ? GP_E_NOMEM : GP_E_SYNTAX;
	drop_root((char *)ascii);
	ret = is_domain((const char *)ascii) ? GP_OK : GP_E_SYNTAX;
	if (ret == GP_OK)
		strcpy(out, (const char *)ascii);
	idn2_free(ascii);
	return ret;
}

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

int gp_domain_as_written(const char *text, char out[static GP_DOMAIN_SIZE])
{
	struct gp_str domain = gp_str_of(text);

	if (domain.len && domain.p[domain.len - 1] == '.')
		domain.len--;
	if (domain.len >= GP_DOMAIN_SIZE || !is_ascii(text))
		return GP_E_SYNTAX;
	gp_str_copy(domain, out, GP_DOMAIN_SIZE);
	gp_ascii_lower(out);
	return is_domain(out) ? GP_OK : GP_E_SYNTAX;
}

/* Most names are ASCII, of which IDNA asks nothing unless a label may be an A-label (RFC 5891
 * section 5.3). */
int gp_domain_to_ascii(const char *text, char out[static GP_DOMAIN_SIZE])
{
	if (is_ascii(text) && !strcasestr(text, "xn--"))
		return gp_domain_as_written(text, out);
	return convert(text, IDN2_NONTRANSITIONAL, out);
}

static bool is_final_form(const char *text, const char *ascii)
{
	char *unicode = NULL;
	bool same = idn2_to_unicode_8z8z(ascii, &unicode, 0) == IDN2_OK && !strcmp(unicode, text);

	idn2_free(unicode);
	return same;
}

bool gp_domain_is_unambiguous(const char *text)
{
	char ascii[GP_DOMAIN_SIZE], other[GP_DOMAIN_SIZE];

	if (convert(text, IDN2_NONTRANSITIONAL, ascii) != GP_OK)
		return false;
	return is_ascii(text) || (convert(text, IDN2_TRANSITIONAL, other) == GP_OK &&
				  !strcmp(ascii, other) && is_final_form(text, ascii));
}
