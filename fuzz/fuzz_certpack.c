/* SPDX-License-Identifier: MIT */
/* The reader of certificate packs: whatever opens is read a second time here, slowly, and both
 * must find the same. The input is a pack without its magic; its last 32 bytes are also a name
 * to look for. */
#include "tls/certpack.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "fuzz.h"

enum { NAME_MAX_BYTES = 32 };

static const char magic[] = "gpcert02";

struct field {
	const uint8_t *p;
	uint32_t len;
};

static bool take_field(const uint8_t **p, size_t *left, struct field *out)
{
	if (*left < sizeof(out->len))
		return false;
	memcpy(&out->len, *p, sizeof(out->len));
	if (*left - sizeof(out->len) < out->len)
		return false;
	out->p = *p + sizeof(out->len);
	*p = out->p + out->len;
	*left -= sizeof(out->len) + out->len;
	return true;
}

/* Does the blank-separated list hold `name`? */
static bool list_has(struct field list, const char *name, size_t name_len)
{
	size_t start = 0;

	for (size_t i = 0; i <= list.len; i++) {
		if (i < list.len && list.p[i] != ' ' && list.p[i] != '\t')
			continue;
		if (i - start == name_len && name_len && !memcmp(list.p + start, name, name_len))
			return true;
		start = i + 1;
	}
	return false;
}

/* The first entry whose names hold `name`, or the number of entries. *valid_out: the pack is. */
static size_t find_slowly(const uint8_t *p, size_t left, const char *name, size_t name_len,
			  size_t *count_out, bool *valid_out)
{
	size_t found = SIZE_MAX;

	*count_out = 0;
	*valid_out = true;
	while (left) {
		struct field label, names, chain, key, ocsp;

		if (!take_field(&p, &left, &label) || !take_field(&p, &left, &names) ||
		    !take_field(&p, &left, &chain) || !take_field(&p, &left, &key) ||
		    !take_field(&p, &left, &ocsp)) {
			*valid_out = false;
			return 0;
		}
		if (found == SIZE_MAX && list_has(names, name, name_len))
			found = *count_out;
		(*count_out)++;
	}
	return found == SIZE_MAX ? *count_out : found;
}

/* find_name as certpack.h promises it. */
static size_t look_slowly(const uint8_t *body, size_t len, const char *name)
{
	char text[NAME_MAX_BYTES + 1];
	size_t name_len = strlen(name), found, count;
	char *dot;
	bool valid;

	if (name_len && name[name_len - 1] == '.')
		name_len--;
	for (size_t i = 0; i < name_len; i++)
		text[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	text[name_len] = '\0';
	found = find_slowly(body, len, text, name_len, &count, &valid);
	dot = strchr(text, '.');
	if (found < count || !dot || dot == text)
		return found;
	dot[-1] = '*';
	return find_slowly(body, len, dot - 1, strlen(dot - 1), &count, &valid);
}

static void check_inside(struct gp_str text, const uint8_t *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)text.p;

	MUST(p >= data && p + text.len <= data + len);
}

static void check_entries(const struct gp_certpack *pack, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < gp_certpack_count(pack); i++) {
		const struct gp_certpack_entry *entry = gp_certpack_entry(pack, i);
		char label[64];
		size_t found;

		check_inside(entry->label, data, len);
		check_inside(entry->chain_pem, data, len);
		check_inside(entry->key_pem, data, len);
		if (entry->label.len >= sizeof(label) ||
		    memchr(entry->label.p, '\0', entry->label.len))
			continue;
		gp_str_copy(entry->label, label, sizeof(label));
		MUST(gp_certpack_find_label(pack, label, &found) == GP_OK && found <= i);
	}
}

static void check_name(const struct gp_certpack *pack, const uint8_t *body, size_t len)
{
	char name[NAME_MAX_BYTES + 1] = "";
	size_t name_len = len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES;
	size_t found = SIZE_MAX, wanted;

	if (len)
		memcpy(name, body + len - name_len, name_len);
	/* from the front to the first NUL, and then shorter ones */
	for (const char *p = name; *p; p++) {
		int ret = gp_certpack_find_name(pack, p, &found);

		wanted = look_slowly(body, len, p);
		MUST(ret == GP_OK || ret == GP_E_NOT_FOUND);
		MUST((ret == GP_OK) == (wanted < gp_certpack_count(pack)));
		MUST(ret != GP_OK || found == wanted);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gp_certpack *pack = NULL;
	size_t count, pack_len = sizeof(magic) - 1 + len;
	uint8_t *copy = malloc(pack_len);
	bool valid;

	MUST(copy != NULL);
	memcpy(copy, magic, sizeof(magic) - 1);
	if (len)
		memcpy(copy + sizeof(magic) - 1, data, len);
	find_slowly(data, len, "", 0, &count, &valid);
	MUST((gp_certpack_open(copy, pack_len, &pack) == GP_OK) == valid);
	if (valid) {
		MUST(gp_certpack_count(pack) == count);
		check_entries(pack, copy, pack_len);
		check_name(pack, data, len);
		gp_certpack_close(pack);
	}
	free(copy);
	/* without the magic it is none, unless it begins with another */
	if (gp_certpack_open(data, len, &pack) == GP_OK) {
		MUST(len >= sizeof(magic) - 1 && !memcmp(data, magic, sizeof(magic) - 1));
		gp_certpack_close(pack);
	}
	return 0;
}
