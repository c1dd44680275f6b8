#include "base/utf8.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(Utf8, TakesOneCodePointAfterTheOther) {
    std::string_view text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82";
    EXPECT_EQ(take_code_point(text), U'a');
    EXPECT_EQ(take_code_point(text), U'\u00e9');
    EXPECT_EQ(take_code_point(text), U'\u20ac');
    EXPECT_EQ(take_code_point(text), U'\U0001f642');
    EXPECT_EQ(take_code_point(text), std::nullopt);
    EXPECT_TRUE(text.empty());
}

TEST(Utf8, LeavesWhatIsMalformed) {
    const std::vector<std::pair<std::string, const char*>> all = {
        {"\x80", "no lead"},
        {"\xc0\x80", "overlong"},
        {"\xe0\x9f\xbf", "overlong"},
        {"\xf0\x8f\xbf\xbf", "overlong"},
        {"\xed\xa0\x80", "a surrogate"},
        {"\xf4\x90\x80\x80", "beyond the last"},
        {"\xe2\x82", "cut"},
        {"\xe2\x28\xa1", "no continuation"},
    };
    for (const auto& [bytes, why] : all) {
        std::string_view text = bytes;
        EXPECT_EQ(take_code_point(text), std::nullopt) << why;
        EXPECT_EQ(text, bytes) << why;
    }
}

}  // namespace
}  // namespace muster
