/* SPDX-License-Identifier: MIT */
#include "identity/mail_domain.h"

#include <idn2.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
	TEXT_MAX = 4 * GP_DOMAIN_SIZE, /* a character takes up to four bytes */
	CONVERTED_MAX = TEXT_MAX *
			GP_DOMAIN_SIZE /* never reached: no label becomes longer than that */
};

/* ---- what Postfix asks the DNS for ---- */

/* "1.2.3" is no host, "1.2.c" is one. */
static bool is_numeric(const char *name)
{
	return !name[strspn(name, "0123456789.-")];
}

bool gp_mail_domain_is_host(const char *name)
{
	char same[GP_DOMAIN_SIZE];
	size_t len = strlen(name);

	return len && name[len - 1] != '.' && !is_numeric(name) &&
	       gp_domain_as_written(name, same) == GP_OK;
}

static int take_ascii(const char *text, char out[static GP_DOMAIN_SIZE])
{
	if (gp_domain_as_written(text, out) != GP_OK)
		return GP_E_SYNTAX;
	return is_numeric(out) ? GP_E_SYNTAX : GP_OK;
}

/* ---- labels with other characters ---- */

/* The characters that transitional processing takes for others (UTS 46 section 2.3): the sharp s,
 * the final sigma, and the two joiners. */
static bool has_deviation(const char *label)
{
	static const char *const deviations[] = {
		"\xc3\x9f",
		"\xcf\x82",
		"\xe2\x80\x8c",
		"\xe2\x80\x8d",
	};

	for (size_t i = 0; i < sizeof(deviations) / sizeof(*deviations); i++) {
		if (strstr(label, deviations[i]))
			return true;
	}
	return false;
}

/* Errors after which no other reading can help. The others are about single characters, for which
 * Postfix's tables may be newer, or wider, than those of libidn2. */
static int error_of(int code)
{
	switch (code) {
	case IDN2_MALLOC:
		return GP_E_NOMEM;
	case IDN2_ENCODING_ERROR:
	case IDN2_PUNYCODE_BAD_INPUT:
	case IDN2_PUNYCODE_BIG_OUTPUT:
	case IDN2_TOO_BIG_LABEL:
	case IDN2_TOO_BIG_DOMAIN:
	case IDN2_2HYPHEN:
	case IDN2_HYPHEN_STARTEND:
	case IDN2_LEADING_COMBINING:
	case IDN2_INVALID_ALABEL:
	case IDN2_ALABEL_ROUNDTRIP_FAILED:
		return GP_E_SYNTAX;
	default:
		return GP_E_LIMIT;
	}
}

/* With IDN2_NONTRANSITIONAL libidn2 holds what UTS 46 has made against the tables of IDNA 2008; with
 * IDN2_TRANSITIONAL it does not. Where there is no deviation character both make the same. */
static int convert_label(struct gp_str text, struct gp_buf *out)
{
	char label[TEXT_MAX + 1];
	uint8_t *ascii = NULL;
	int ret;

	if (text.len >= sizeof(label))
		return GP_E_SYNTAX;
	gp_str_copy(text, label, sizeof(label));
	ret = idn2_lookup_u8((const uint8_t *)label, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (ret != IDN2_OK && !has_deviation(label))
		ret = idn2_lookup_u8((const uint8_t *)label, &ascii,
				     IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
	if (ret != IDN2_OK)
		return error_of(ret);
	ret = gp_buf_append_str(out, (const char *)ascii);
	idn2_free(ascii);
	return ret;
}

static bool is_ascii(struct gp_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] & 0x80)
			return false;
	}
	return true;
}

static int convert(struct gp_str rest, struct gp_buf *out)
{
	int ret = GP_OK;

	while (ret == GP_OK && rest.len) {
		struct gp_str label = gp_str_split(&rest, '.');

		if (!label.len)
			return GP_E_SYNTAX;
		ret = is_ascii(label) ? gp_buf_append(out, label.p, label.len)
				      : convert_label(label, out);
		if (ret == GP_OK && rest.len)
			ret = gp_buf_append_byte(out, '.');
	}
	return ret;
}

int gp_mail_domain_to_ascii(const char *text, char out[static GP_DOMAIN_SIZE])
{
	struct gp_buf ascii;
	int ret;

	if (is_ascii(gp_str_of(text)))
		return take_ascii(text, out);
	if (strlen(text) > TEXT_MAX)
		return GP_E_SYNTAX;
	gp_buf_init(&ascii, CONVERTED_MAX);
	ret = convert(gp_str_of(text), &ascii);
	if (ret == GP_OK)
		ret = gp_buf_cstr(&ascii) ? take_ascii(gp_buf_cstr(&ascii), out) : GP_E_NOMEM;
	gp_buf_deinit(&ascii);
	return ret;
}
