#include "base/hash.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(SetDigest, DoesNotDependOnOrderAndRemovesWhatItAdded) {
    SetDigest forward;
    SetDigest backward;
    for (const auto* element : {"a", "b", "c"}) {
        forward.add(digest_of(element));
    }
    for (const auto* element : {"c", "b", "a"}) {
        backward.add(digest_of(element));
    }
    EXPECT_EQ(forward, backward);
    forward.remove(digest_of("b"));
    SetDigest rest;
    rest.add(digest_of("c"));
    rest.add(digest_of("a"));
    EXPECT_EQ(forward, rest);
}

// RFC 3720 B.4: 32 bytes of zeroes, of ones.
TEST(Crc32c, MatchesThePublishedVectors) {
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
    EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
    EXPECT_EQ(crc32c("456789", crc32c("123")), crc32c("123456789"));
}

}  // namespace
}  // namespace muster
