/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/cleartext_users.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "table.h"

static char directory[] = "/tmp/gatepost-users-XXXXXX";
static char path[64];

static void print(const struct gp_cleartext_users *users, bool json, struct gp_buf *out)
{
	gp_buf_init(out, 1 << 22);
	assert_int_equal(gp_cleartext_users_print(users, json, out), GP_OK);
	assert_non_null(gp_buf_cstr(out));
}

static void kept_over_a_restart(void **state)
{
	struct gp_cleartext_users *users = gp_cleartext_users_new(path);
	struct gp_buf text;
	struct stat file;

	(void)state;
	gp_cleartext_users_add(users, "alice", "192.0.2.1", 1700000000000);
	gp_cleartext_users_add(users, "bob", "2001:db8::1", 1700000001000);
	gp_cleartext_users_add(users, "alice", "192.0.2.7", 1700000002500);
	assert_int_equal(gp_cleartext_users_save(users), GP_OK);
	gp_cleartext_users_free(users);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);

	users = gp_cleartext_users_new(path);
	print(users, true, &text);
	assert_string_equal(
		(char *)text.data,
		"[\n{\"first\":\"2023-11-14T22:13:20.000Z\",\"last\":\"2023-11-14T22:13:"
		"22.500Z\",\"count\":2,\"source\":\"192.0.2.7\",\"name\":\"alice\"},\n"
		"{\"first\":\"2023-11-14T22:13:21.000Z\",\"last\":\"2023-11-14T22:13:21."
		"000Z\",\"count\":1,\"source\":\"2001:db8::1\",\"name\":\"bob\"}\n]\n");
	gp_buf_deinit(&text);
	gp_cleartext_users_free(users);
	unlink(path);
}

static void names_cannot_forge_lines(void **state)
{
	struct gp_cleartext_users *users = gp_cleartext_users_new(path);
	struct gp_buf text;

	(void)state;
	gp_cleartext_users_add(users, "a\tb\nc\x1b[2J", "192.0.2.1", 0);
	print(users, false, &text);
	assert_non_null(strstr((char *)text.data, "a?b?c?[2J\n"));
	gp_buf_deinit(&text);
	gp_cleartext_users_add(users,
			       "d\xc2\x9b"
			       "e\x9b"
			       "f\xc3\xa9",
			       "192.0.2.1", 0);
	print(users, false, &text);
	assert_non_null(strstr((char *)text.data, "d??e?f\xc3\xa9\n"));
	gp_buf_deinit(&text);
	gp_cleartext_users_free(users);
}

static void the_number_of_names_is_bounded(void **state)
{
	struct gp_cleartext_users *users = gp_cleartext_users_new(path);
	struct gp_buf text;
	char name[32];

	(void)state;
	for (unsigned i = 0; i <= GP_CLEARTEXT_USERS_MAX; i++) {
		snprintf(name, sizeof(name), "user-%u-", i);
		gp_cleartext_users_add(users, name, "192.0.2.1", i);
	}
	print(users, false, &text);
	assert_null(strstr((char *)text.data, "user-0-"));
	assert_non_null(strstr((char *)text.data, "user-1-"));
	assert_non_null(strstr((char *)text.data, "user-10000-"));
	gp_buf_deinit(&text);
	gp_cleartext_users_free(users);
}

static void a_directory_that_is_gone(void **state)
{
	struct gp_cleartext_users *users = gp_cleartext_users_new("/nonexistent/users");

	(void)state;
	assert_int_equal(gp_cleartext_users_save(users), GP_OK);
	gp_cleartext_users_add(users, "alice", "192.0.2.1", 0);
	assert_int_equal(gp_cleartext_users_save(users), GP_E_IO);
	gp_cleartext_users_free(users);
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/users", directory);
	table_one(&table, "[8314-4.1-4] names, times and counts are kept over a restart",
		  kept_over_a_restart);
	table_one(&table, "names cannot forge lines", names_cannot_forge_lines);
	table_one(&table, "the number of names is bounded", the_number_of_names_is_bounded);
	table_one(&table, "a directory that is gone", a_directory_that_is_gone);
	ret = table_run(&table);
	rmdir(directory);
	return ret;
}
