/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "table.h"

static void names_differ(void **state)
{
	(void)state;
	for (int a = GP_E_CUT; a <= GP_AGAIN; a++) {
		assert_string_not_equal(gp_err_name(a), "unknown error");
		for (int b = GP_E_CUT; b < a; b++)
			assert_string_not_equal(gp_err_name(a), gp_err_name(b));
	}
	assert_string_equal(gp_err_name(GP_E_CUT - 1), "unknown error");
	assert_string_equal(gp_err_name(GP_AGAIN + 1), "unknown error");
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "each error has a name of its own", names_differ);
	return table_run(&table);
}
