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
    // In whatever steps: eight bytes at a time, or one by one.
    const std::string text = "The quick brown fox jumps over the lazy dog, and back again.";
    std::uint32_t one_by_one = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        EXPECT_EQ(crc32c(std::string_view(text).substr(i), one_by_one), crc32c(text)) << i;
        one_by_one = crc32c(std::string_view(text).substr(i, 1), one_by_one);
    }
    EXPECT_EQ(one_by_one, crc32c(text));
}

}  // namespace
}  // namespace muster
