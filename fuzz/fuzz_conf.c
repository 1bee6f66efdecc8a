/* SPDX-License-Identifier: MIT */
/* Configuration text: what is accepted can be written and read back. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/conf.h"

/* libconfig loses what it has read of a text that is not closed; asked by LeakSanitizer. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read_back(struct gp_conf *conf, struct gp_buf *errors)
{
	char *text = gp_conf_effective_text(conf);
	struct gp_conf *again;

	if (!text || gp_conf_load_effective(text, &again, errors) != GP_OK)
		abort();
	if (again->listener_count != conf->listener_count ||
	    again->certificate_count != conf->certificate_count ||
	    again->domain_count != conf->domain_count)
		abort();
	gp_conf_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_conf *conf;
	struct gp_buf errors;
	char *text;

	/* an include would read the machine's files */
	if (memmem(data, size, "@include", 8))
		return 0;
	text = strndup((const char *)data, size);
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	if (gp_conf_load_effective(text, &conf, &errors) == GP_OK) {
		write_and_read_back(conf, &errors);
		gp_conf_free(conf);
	} else if (!errors.len) {
		abort();
	}
	gp_buf_deinit(&errors);
	free(text);
	return 0;
}
