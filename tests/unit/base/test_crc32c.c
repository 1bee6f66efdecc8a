/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include "table.h"

static void check_value(void **state)
{
	(void)state;
	assert_int_equal(gp_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
	assert_int_equal(gp_crc32c((const uint8_t *)"", 0), 0);
}

/* RFC 3720 appendix B.4 */
static void vectors_of_iscsi(void **state)
{
	uint8_t block[32];

	(void)state;
	memset(block, 0, sizeof(block));
	assert_int_equal(gp_crc32c(block, sizeof(block)), 0x8a9136aa);
	memset(block, 0xff, sizeof(block));
	assert_int_equal(gp_crc32c(block, sizeof(block)), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		block[i] = i;
	assert_int_equal(gp_crc32c(block, sizeof(block)), 0x46dd794e);
	for (uint8_t i = 0; i < 32; i++)
		block[i] = (uint8_t)(31 - i);
	assert_int_equal(gp_crc32c(block, sizeof(block)), 0x113fdb5c);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "the check value of CRC-32C", check_value);
	table_one(&table, "the vectors of RFC 3720", vectors_of_iscsi);
	return table_run(&table);
}
