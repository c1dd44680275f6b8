#include "model/short_text.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(ShortText, KeepsWhatItIsGiven) {
    EXPECT_EQ(ShortText("orders").view(), "orders");
    const std::string zeros("a\0b", 3);
    EXPECT_EQ(ShortText(zeros).view(), zeros);
    const std::string most(ShortText::kBytesMax, 'x');
    EXPECT_EQ(ShortText(most).view(), most);
}

TEST(ShortText, TakesNothingWhenEmpty) {
    EXPECT_TRUE(ShortText().empty());
    EXPECT_TRUE(ShortText("").empty());
    EXPECT_EQ(ShortText("").view(), "");
    EXPECT_EQ(sizeof(ShortText), sizeof(void*));
}

TEST(ShortText, StaysWhereItIsWhenMoved) {
    ShortText first("a text that is longer than any that a string keeps in itself");
    const char* raw = first.raw();
    const ShortText second = std::move(first);
    EXPECT_EQ(second.raw(), raw);
    EXPECT_EQ(ShortText::view_of(raw), second.view());
}

}  // namespace
}  // namespace muster
