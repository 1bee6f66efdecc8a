/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#define REFLECTED_POLYNOMIAL 0x82f63b78

/* What four zero bits shift out, for each value of the lowest four. */
#define STEP(crc)      ((crc) >> 1 ^ ((crc)&1 ? REFLECTED_POLYNOMIAL : 0))
#define FOUR_BITS(crc) STEP(STEP(STEP(STEP((uint32_t)(crc)))))

static const uint32_t nibbles[16] = {
	FOUR_BITS(0),  FOUR_BITS(1),  FOUR_BITS(2),  FOUR_BITS(3),  FOUR_BITS(4),  FOUR_BITS(5),
	FOUR_BITS(6),  FOUR_BITS(7),  FOUR_BITS(8),  FOUR_BITS(9),  FOUR_BITS(10), FOUR_BITS(11),
	FOUR_BITS(12), FOUR_BITS(13), FOUR_BITS(14), FOUR_BITS(15),
};

uint32_t gp_crc32c(const uint8_t *data, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}
