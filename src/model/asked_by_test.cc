#include "model/asked_by.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster {
namespace {

using testing::HasSubstr;

std::string refusal_of(std::string_view name) {
    const auto checked = check_asked_by(name);
    return checked ? "" : checked.error().detail;
}

TEST(AskedBy, IsAPrintableNameOfAFewBytes) {
    for (const std::string& name :
         {std::string(), std::string("ana@ops1"), std::string("An\xc3\xa9 B\xc3\xb6ll, on call"),
          std::string("\xf0\x9f\x99\x82"), std::string(kAskedByBytesMax, 'x')}) {
        EXPECT_EQ(refusal_of(name), "") << name;
        EXPECT_EQ(asked_by_of(name), name);
    }
}

TEST(AskedBy, IsRefusedWithTheReason) {
    EXPECT_THAT(refusal_of(std::string(65, 'x')), HasSubstr("at most 64 bytes, got 65 bytes"));
    EXPECT_THAT(refusal_of("ana\nbob"), HasSubstr("cannot be shown at byte 3"));
    EXPECT_THAT(refusal_of("ana\xe2\x80\xae"), HasSubstr("cannot be shown at byte 3"));
    EXPECT_THAT(refusal_of("\xef\xbf\xbf"), HasSubstr("cannot be shown at byte 0"));
    EXPECT_THAT(refusal_of("a\x7f"), HasSubstr("cannot be shown at byte 1"));
    EXPECT_THAT(refusal_of("\xc2\x85"), HasSubstr("cannot be shown at byte 0"));
    EXPECT_THAT(refusal_of("an\xff"), HasSubstr("no UTF-8 at byte 2"));
}

TEST(AskedBy, IsMadeOfAnyText) {
    EXPECT_EQ(asked_by_of("ana\nbob\xff"), "ana?bob?");
    EXPECT_EQ(asked_by_of(std::string(63, 'x') + "\xc3\xa9y"), std::string(63, 'x'));
    EXPECT_EQ(asked_by_of(std::string(100, '\1')), std::string(64, '?'));
}

}  // namespace
}  // namespace muster
