/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/err.h"
#include "base/time.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/policy_ask.h"
#include "cli/policy_check_postfix.h"
#include "cli/policy_repair.h"
#include "daemon/process/admin.h"
#include "policy/explain.h"
#include "policy/overrides.h"

/* gatepost policy: the service, and questions about it. */

enum { SHOW_PROTECTED, SHOW_NOT_PROTECTED, SHOW_CANNOT_TELL };
enum { WHY_MAX = 1024 };

struct policy_options {
	const char *conf_path;
	struct gp_conf *conf;
	int json;
	int fresh;   /* not from memory */
	int connect; /* to the hosts */
	int all;     /* domains */
	const char *until;
	const char *reason;
	const char *postfix; /* directory of its configuration */
	char **words;        /* behind the subcommand */
	int word_count;
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "gatepost policy: %s%s%s\n", what, *why ? ": " : "", why);
	return EX_DATAERR;
}

static int read_domain(const char *word, char out[static GP_POLICY_NAME_SIZE])
{
	int ret = gp_postfix_domain_of_key(gp_str_of(word), out);

	if (ret == GP_OK)
		return EX_OK;
	if (ret == GP_E_LIMIT)
		return complain(word, GP_POSTFIX_KEY_UNREADABLE);
	complain(word, "Postfix sends no mail to such a domain");
	return EX_USAGE;
}

/* What the service answers, for requests that are not about a verdict. */
static int tell_service(const struct policy_options *options, const char *map, const char *key,
			struct gp_buf *out)
{
	enum gp_socketmap_word word;

	if (gp_policy_ask(options->conf, map, key, &word, out) != GP_OK) {
		int error = errno;
		char path[GP_ADMIN_PATH_SIZE];

		gp_admin_path(options->conf, "policy.sock", path);
		fprintf(stderr, "gatepost policy: %s: %s (%s)\n", path, strerror(error),
			gp_admin_hint(error));
		return EX_UNAVAILABLE;
	}
	if (word == GP_SOCKETMAP_OK)
		return EX_OK;
	complain(gp_buf_cstr(out), "");
	if (gp_str_starts_nocase(gp_str_from(out->data, out->len), GP_ADMIN_REFUSED))
		return EX_NOPERM;
	return word == GP_SOCKETMAP_PERM ? EX_USAGE : EX_TEMPFAIL;
}

/* ---- show ---- */

static int find_verdict(const struct policy_options *options, const char *domain,
			struct gp_buf *json)
{
	enum gp_socketmap_word word;

	if (!options->connect && gp_policy_ask(options->conf, options->fresh ? "FRESH" : "JSON",
					       domain, &word, json) == GP_OK) {
		if (word == GP_SOCKETMAP_OK)
			return GP_OK;
		complain(gp_buf_cstr(json), "");
		return GP_E_IO;
	}
	return gp_policy_find_out(options->conf, domain, options->connect, json);
}

/* That a domain takes no mail is an answer, too. */
static int exit_code_of(const json_t *all)
{
	const char *course = json_string_value(json_object_get(all, "course"));

	if (!course || !strcmp(course, "defer"))
		return SHOW_CANNOT_TELL;
	return json_is_true(json_object_get(all, "protected")) ? SHOW_PROTECTED
							       : SHOW_NOT_PROTECTED;
}

static int print_verdict(const struct policy_options *options, const struct gp_buf *json)
{
	json_t *all = json_loadb((const char *)json->data, json->len, 0, NULL);
	struct gp_buf text;
	int code = exit_code_of(all);

	gp_buf_init(&text, GP_EXPLAIN_MAX);
	if (options->json)
		printf("%.*s\n", (int)json->len, (const char *)json->data);
	else if (gp_explain_text(gp_str_from(json->data, json->len), &text) == GP_OK)
		fwrite(text.data, 1, text.len, stdout);
	gp_buf_deinit(&text);
	json_decref(all);
	return code;
}

static int show(const struct policy_options *options)
{
	char domain[GP_POLICY_NAME_SIZE];
	struct gp_buf json;
	int code = read_domain(options->words[0], domain);

	/* Postfix is told TEMP of a name that cannot be read */
	if (code != EX_OK)
		return code == EX_DATAERR ? SHOW_CANNOT_TELL : code;
	gp_buf_init(&json, GP_EXPLAIN_MAX);
	code = find_verdict(options, domain, &json) == GP_OK ? print_verdict(options, &json)
							     : SHOW_CANNOT_TELL;
	gp_buf_deinit(&json);
	return code;
}

/* ---- refresh, purge ---- */

static int refresh(const struct policy_options *options)
{
	char domain[GP_POLICY_NAME_SIZE];
	struct gp_buf answer;
	int code = read_domain(options->words[0], domain);

	gp_buf_init(&answer, GP_SOCKETMAP_REPLY_MAX);
	if (code == EX_OK)
		code = tell_service(options, "REFRESH", domain, &answer);
	if (code == EX_OK)
		printf("%s: %s\n", domain, gp_buf_cstr(&answer));
	gp_buf_deinit(&answer);
	return code;
}

static int purge(const struct policy_options *options)
{
	char domain[GP_POLICY_NAME_SIZE] = "*";
	struct gp_buf answer;
	int code = EX_OK;

	if (options->all != (options->word_count == 0))
		return gp_usage_error("policy", "purge needs one domain, or --all");
	if (!options->all)
		code = read_domain(options->words[0], domain);
	gp_buf_init(&answer, GP_SOCKETMAP_REPLY_MAX);
	if (code == EX_OK)
		code = tell_service(options, "PURGE", domain, &answer);
	gp_buf_deinit(&answer);
	return code;
}

/* ---- override ---- */

/* "2026-12-31", the end of that day, or a duration from now. */
static int read_until(const char *text, int64_t *until_out)
{
	int64_t now = (int64_t)(gp_time_utc_ms() / 1000);
	uint64_t ms;
	struct tm day = { .tm_isdst = 0 };
	const char *end = strptime(text, "%Y-%m-%d", &day);

	if (end && !*end) {
		day.tm_hour = 23;
		day.tm_min = day.tm_sec = 59;
		*until_out = (int64_t)timegm(&day);
	} else if (gp_duration_parse(text, &ms) == GP_OK) {
		*until_out = now + (int64_t)(ms / 1000);
	} else {
		return EX_USAGE;
	}
	return *until_out > now ? EX_OK : EX_USAGE;
}

/* As the service does, so that the answer is the same without one. */
static int check_override(const char *level, int64_t until)
{
	struct gp_buf why;
	int code = EX_OK;

	gp_buf_init(&why, WHY_MAX);
	if (gp_override_check(level, until, (int64_t)(gp_time_utc_ms() / 1000), &why) != GP_OK)
		code = gp_usage_error("policy", "override: %s", gp_buf_cstr(&why));
	gp_buf_deinit(&why);
	return code;
}

static int set_override(const struct policy_options *options, const char *domain, int64_t until,
			const char *level, const char *reason)
{
	char key[4096];
	struct gp_buf answer;
	int code;

	snprintf(key, sizeof(key), "%s %lld %s\n%s", domain, (long long)until, level, reason);
	gp_buf_init(&answer, GP_SOCKETMAP_REPLY_MAX);
	code = tell_service(options, "OVERRIDE", key, &answer);
	gp_buf_deinit(&answer);
	return code;
}

static int override(const struct policy_options *options)
{
	char domain[GP_POLICY_NAME_SIZE];
	int64_t until;
	int code = read_domain(options->words[0], domain);

	if (code != EX_OK)
		return code;
	if (!strcmp(options->words[1], "off"))
		return set_override(options, domain, 0, "", "");
	if (!options->until || read_until(options->until, &until) != EX_OK)
		return gp_usage_error("policy", "override needs --until with a future day "
						"(2026-12-31) or a duration (7d)");
	if (!options->reason || !*options->reason)
		return gp_usage_error(
			"policy", "override needs --reason \"why\"; gatepost policy list shows it");
	code = check_override(options->words[1], until);
	if (code != EX_OK)
		return code;
	return set_override(options, domain, until, options->words[1], options->reason);
}

/* ---- list ---- */

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "-";
}

static void print_entry(const json_t *entry)
{
	const json_t *policy = json_object_get(entry, "policy");
	const json_t *override = json_object_get(entry, "override");

	if (policy)
		printf("%-40s %-8s fetched %s, expires %s\n", text(entry, "domain"),
		       text(policy, "mode"), text(policy, "fetched"), text(policy, "expires"));
	if (json_object_get(entry, "failure"))
		printf("%-40s failed   %s\n", text(entry, "domain"), text(entry, "failure"));
	if (override)
		printf("%-40s override %s until %s: %s\n", text(entry, "domain"),
		       text(override, "level"), text(override, "until"), text(override, "reason"));
}

/* Returns the last domain in `out`, which is where the next question begins; "" at the end. */
static void print_page(const struct policy_options *options, const struct gp_buf *page,
		       char last_out[static GP_POLICY_NAME_SIZE])
{
	struct gp_str rest = gp_str_from(page->data, page->len);

	*last_out = '\0';
	while (rest.len) {
		struct gp_str line = gp_str_split(&rest, '\n');
		json_t *entry = json_loadb(line.p, line.len, 0, NULL);

		if (options->json)
			printf("%.*s\n", (int)line.len, line.p);
		else
			print_entry(entry);
		gp_str_copy(gp_str_of(text(entry, "domain")), last_out, GP_POLICY_NAME_SIZE);
		json_decref(entry);
	}
}

static int list(const struct policy_options *options)
{
	char last[GP_POLICY_NAME_SIZE] = "";
	int code = EX_OK;

	do {
		struct gp_buf page;

		gp_buf_init(&page, GP_SOCKETMAP_REPLY_MAX);
		code = tell_service(options, "LIST", last, &page);
		if (code == EX_OK)
			print_page(options, &page, last);
		gp_buf_deinit(&page);
	} while (code == EX_OK && *last);
	return code;
}

static int repair(const struct policy_options *options)
{
	return gp_policy_repair(options->conf);
}

static int check_postfix(const struct policy_options *options)
{
	return gp_policy_check_postfix(options->conf, options->postfix);
}

/* ---- words ---- */

static const struct subcommand {
	const char *name;
	int least, most; /* arguments after it */
	int (*run)(const struct policy_options *options);
} subcommands[] = {
	{ "show", 1, 1, show },
	{ "refresh", 1, 1, refresh },
	{ "purge", 0, 1, purge },
	{ "override", 2, 2, override },
	{ "list", 0, 0, list },
	{ "repair", 0, 0, repair },
	{ "check-postfix", 0, 0, check_postfix },
};

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++) {
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	}
	return NULL;
}

static int parse(int argc, char **argv, struct policy_options *options)
{
	const struct option table[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, &options->json, 1 },
		{ "fresh", no_argument, &options->fresh, 1 },
		{ "connect", no_argument, &options->connect, 1 },
		{ "until", required_argument, NULL, 'u' },
		{ "reason", required_argument, NULL, 'r' },
		{ "config-directory", required_argument, NULL, 'p' },
		{ "all", no_argument, &options->all, 1 },
		{ 0 },
	};
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		if (option == 'c')
			options->conf_path = optarg;
		else if (option == 'u')
			options->until = optarg;
		else if (option == 'r')
			options->reason = optarg;
		else if (option == 'p')
			options->postfix = optarg;
		else if (option != 0)
			return gp_usage_error("policy",
					      "unknown option, or its value is missing: %s",
					      argv[optind - 1]);
	}
	options->words = argv + optind;
	options->word_count = argc - optind;
	return EX_OK;
}

static int run(const struct subcommand *subcommand, int argc, char **argv)
{
	struct policy_options options = { .conf_path = GP_DEFAULT_CONF };
	struct gp_buf errors;
	int code = parse(argc, argv, &options);

	if (code != EX_OK)
		return code;
	if (options.word_count < subcommand->least || options.word_count > subcommand->most)
		return gp_usage_error("policy", "%s %s", subcommand->name,
				      subcommand->most == 0   ? "takes no arguments"
				      : subcommand->most == 1 ? "needs one domain"
							      : "needs a domain and a level");
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	if (gp_conf_load_file(options.conf_path, &options.conf, &errors) == GP_OK) {
		code = subcommand->run(&options);
		gp_conf_free(options.conf);
	} else {
		fwrite(errors.data, 1, errors.len, stderr);
		code = EX_CONFIG;
	}
	gp_buf_deinit(&errors);
	return code;
}

int gp_policy_command(int argc, char **argv)
{
	const struct subcommand *subcommand = argc > 1 ? find_subcommand(argv[1]) : NULL;

	if (subcommand)
		return run(subcommand, argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-')
		return gp_usage_error("policy", "unknown command \"%s\"", argv[1]);
	return gp_serve_command(argc, argv);
}
