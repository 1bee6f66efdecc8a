/* SPDX-License-Identifier: MIT */
#include "tls/certpack.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* pack  = magic *entry
 * entry = label names chain key ocsp, each a 32 bit length (host order: one machine) and bytes;
 * names = DNS names in lower case, sorted and separated by blanks */
static const char magic[8] = "gpcert02";

enum { DNS_NAME_MAX = 255 };

/* ---- writing: the supervisor ---- */

static int put_field(struct gp_buf *pack, const void *data, size_t len)
{
	uint32_t prefix = (uint32_t)len;
	int ret = gp_buf_append(pack, &prefix, sizeof(prefix));

	return ret == GP_OK ? gp_buf_append(pack, data, len) : ret;
}

int gp_certpack_begin(struct gp_buf *pack)
{
	gp_buf_init(pack, GP_CERTPACK_MAX);
	return gp_buf_append(pack, magic, sizeof(magic));
}

static int put_entry(struct gp_buf *pack, const struct gp_certpack_entry *entry)
{
	const struct gp_str fields[] = { entry->label, entry->names, entry->chain_pem,
					 entry->key_pem, entry->ocsp };
	size_t before = pack->len;
	int ret = GP_OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields) && ret == GP_OK; i++)
		ret = put_field(pack, fields[i].p, fields[i].len);
	if (ret != GP_OK)
		pack->len = before;
	return ret;
}

int gp_certpack_copy(struct gp_buf *pack, const struct gp_certpack_entry *entry)
{
	return put_entry(pack, entry);
}

int gp_certpack_add(struct gp_buf *pack, struct gp_certificate_judge *judge,
		    const struct gp_certpack_entry *entry, struct gp_certificate_info *info_out,
		    char *error_out, size_t error_size)
{
	struct gp_certpack_entry named = *entry;
	struct gp_buf names;
	int ret;

	gp_buf_init(&names, GP_PEM_FILE_MAX);
	ret = gp_certificate_judge(judge, entry->chain_pem, entry->key_pem, &names, info_out,
				   error_out, error_size);
	if (ret == GP_OK) {
		named.names = gp_str_from(names.data, names.len);
		ret = put_entry(pack, &named);
		if (ret != GP_OK)
			snprintf(error_out, error_size, "%s", gp_err_name(ret));
	}
	gp_buf_deinit(&names);
	return ret;
}

/* ---- reading: the workers ---- */

struct name {
	struct gp_str text;
	size_t index;
};

struct gp_certpack {
	struct gp_certpack_entry *entries;
	size_t entry_count;
	size_t *next_twin; /* of each entry; the last one's is entry_count */
	size_t *first_twin;
	struct name *names; /* sorted */
	size_t name_count;
};

static int take_field(struct gp_str *rest, struct gp_str *field_out)
{
	uint32_t len;

	if (rest->len < sizeof(len))
		return GP_E_SYNTAX;
	memcpy(&len, rest->p, sizeof(len));
	if (len > rest->len - sizeof(len))
		return GP_E_SYNTAX;
	*field_out = (struct gp_str){ rest->p + sizeof(len), len };
	rest->p += sizeof(len) + len;
	rest->len -= sizeof(len) + len;
	return GP_OK;
}

static int take_entry(struct gp_str *rest, struct gp_certpack_entry *entry)
{
	struct gp_str *const fields[] = { &entry->label, &entry->names, &entry->chain_pem,
					  &entry->key_pem, &entry->ocsp };
	int ret = GP_OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields) && ret == GP_OK; i++)
		ret = take_field(rest, fields[i]);
	return ret;
}

/* The array with room for one more element (it doubles at powers of two), or NULL; the old one
 * is then still there. */
static void *grow(void *array, size_t count, size_t element_size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? count * 2 : 1, element_size);
}

static int add_names(struct gp_certpack *pack, struct gp_str names, size_t index)
{
	while (names.len) {
		struct gp_str word = gp_str_word(&names);
		struct name *larger = grow(pack->names, pack->name_count, sizeof(*larger));

		if (!larger)
			return GP_E_NOMEM;
		pack->names = larger;
		pack->names[pack->name_count++] = (struct name){ word, index };
	}
	return GP_OK;
}

static int compare_text(struct gp_str a, struct gp_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.p, b.p, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Of two certificates for one name the first configured wins. */
static int compare_names(const void *a_arg, const void *b_arg)
{
	const struct name *a = a_arg, *b = b_arg;
	int order = compare_text(a->text, b->text);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int read_entries(struct gp_certpack *pack, struct gp_str rest)
{
	while (rest.len) {
		struct gp_certpack_entry *larger = grow(pack->entries, pack->entry_count,
							sizeof(*larger));
		struct gp_certpack_entry *entry;
		int ret;

		if (!larger)
			return GP_E_NOMEM;
		pack->entries = larger;
		entry = &larger[pack->entry_count];
		ret = take_entry(&rest, entry);
		if (ret == GP_OK)
			ret = add_names(pack, entry->names, pack->entry_count);
		if (ret != GP_OK)
			return ret;
		pack->entry_count++;
	}
	return GP_OK;
}

struct twin {
	struct gp_str names;
	size_t index;
};

static int compare_twins(const void *a_arg, const void *b_arg)
{
	const struct twin *a = a_arg, *b = b_arg;
	int order = compare_text(a->names, b->names);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static void link_twins(struct gp_certpack *pack, const struct twin *sorted)
{
	size_t first = 0;

	for (size_t i = 0; i < pack->entry_count; i++) {
		bool again = i && sorted[i].names.len &&
			     !compare_text(sorted[i].names, sorted[i - 1].names);

		if (again)
			pack->next_twin[sorted[i - 1].index] = sorted[i].index;
		else
			first = sorted[i].index;
		pack->first_twin[sorted[i].index] = first;
		pack->next_twin[sorted[i].index] = pack->entry_count;
	}
}

static int find_twins(struct gp_certpack *pack)
{
	struct twin *sorted = calloc(pack->entry_count + 1, sizeof(*sorted));

	pack->first_twin = calloc(pack->entry_count + 1, sizeof(*pack->first_twin));
	pack->next_twin = calloc(pack->entry_count + 1, sizeof(*pack->next_twin));
	if (!sorted || !pack->first_twin || !pack->next_twin) {
		free(sorted);
		return GP_E_NOMEM;
	}
	for (size_t i = 0; i < pack->entry_count; i++)
		sorted[i] = (struct twin){ pack->entries[i].names, i };
	qsort(sorted, pack->entry_count, sizeof(*sorted), compare_twins);
	link_twins(pack, sorted);
	free(sorted);
	return GP_OK;
}

size_t gp_certpack_first_twin(const struct gp_certpack *pack, size_t index)
{
	return pack->first_twin[index];
}

size_t gp_certpack_next_twin(const struct gp_certpack *pack, size_t index)
{
	return pack->next_twin[index];
}

int gp_certpack_open(const uint8_t *data, size_t len, struct gp_certpack **pack_out)
{
	struct gp_certpack *pack;
	int ret;

	if (len < sizeof(magic) || memcmp(data, magic, sizeof(magic)) != 0)
		return GP_E_SYNTAX;
	pack = calloc(1, sizeof(*pack));
	if (!pack)
		return GP_E_NOMEM;
	ret = read_entries(pack, gp_str_from(data + sizeof(magic), len - sizeof(magic)));
	if (ret == GP_OK)
		ret = find_twins(pack);
	if (ret != GP_OK) {
		gp_certpack_close(pack);
		return ret;
	}
	if (pack->name_count)
		qsort(pack->names, pack->name_count, sizeof(*pack->names), compare_names);
	*pack_out = pack;
	return GP_OK;
}

void gp_certpack_close(struct gp_certpack *pack)
{
	if (!pack)
		return;
	free(pack->entries);
	free(pack->first_twin);
	free(pack->next_twin);
	free(pack->names);
	free(pack);
}

size_t gp_certpack_count(const struct gp_certpack *pack)
{
	return pack->entry_count;
}

const struct gp_certpack_entry *gp_certpack_entry(const struct gp_certpack *pack, size_t index)
{
	return &pack->entries[index];
}

int gp_certpack_find_label(const struct gp_certpack *pack, const char *label, size_t *index_out)
{
	for (size_t i = 0; i < pack->entry_count; i++) {
		if (!gp_str_equal(pack->entries[i].label, label))
			continue;
		*index_out = i;
		return GP_OK;
	}
	return GP_E_NOT_FOUND;
}

static int find_text(const struct gp_certpack *pack, struct gp_str text, size_t *index_out)
{
	size_t low = 0, high = pack->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_text(pack->names[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == pack->name_count || compare_text(pack->names[low].text, text) != 0)
		return GP_E_NOT_FOUND;
	*index_out = pack->names[low].index;
	return GP_OK;
}

int gp_certpack_find_name(const struct gp_certpack *pack, const char *name, size_t *index_out)
{
	char lower[DNS_NAME_MAX + 1];
	char *dot;
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		len--;
	if (!len || len >= sizeof(lower))
		return GP_E_NOT_FOUND;
	memcpy(lower, name, len);
	lower[len] = '\0';
	gp_ascii_lower(lower);
	if (find_text(pack, gp_str_of(lower), index_out) == GP_OK)
		return GP_OK;
	/* "*" stands for the whole first label (RFC 9525 section 6.3) */
	dot = strchr(lower, '.');
	if (!dot || dot == lower)
		return GP_E_NOT_FOUND;
	dot[-1] = '*';
	return find_text(pack, gp_str_of(dot - 1), index_out);
}
