#include "model/boxes.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/attributes.h"

namespace muster {
namespace {

std::vector<std::string> read(const Boxes& boxes) {
    return {boxes.begin(), boxes.end()};
}

TEST(Boxes, AreReadAsTheyWereMade) {
    const std::vector<std::string> texts{"10.0.0.1:12200?weight=100", "", std::string("\0\xff", 2)};
    const Boxes boxes(texts);
    EXPECT_EQ(boxes.size(), 3U);
    EXPECT_EQ(boxes.front(), texts.front());
    EXPECT_EQ(read(boxes), texts);
    for (const std::string_view box : boxes) {
        EXPECT_EQ(box.data()[box.size()], '\0');
    }
}

TEST(Boxes, OfNothingTakeNothing) {
    const Boxes none;
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.size(), 0U);
    EXPECT_EQ(none.text_bytes(), 0U);
    EXPECT_EQ(none.begin(), none.end());
    EXPECT_EQ(none, Boxes(std::vector<std::string>{}));
    EXPECT_FALSE(none == Boxes{""});
}

TEST(Boxes, AreEqualByTheirTexts) {
    const Boxes boxes{"a", "bc"};
    Boxes copy = boxes;
    EXPECT_EQ(copy, boxes);
    EXPECT_FALSE(boxes == (Boxes{"ab", "c"}));
    EXPECT_FALSE(boxes == Boxes{"a"});
    EXPECT_EQ(boxes.text_bytes(), 3U);
    copy = {};
    EXPECT_TRUE(copy.empty());
    EXPECT_EQ(read(boxes), (std::vector<std::string>{"a", "bc"}));
}

TEST(Attributes, AreAMapThatTakesAPointerWhenEmpty) {
    const Attributes some{{"color", "blue"}};
    Attributes copy = some;
    EXPECT_EQ(copy, some);
    EXPECT_EQ(copy.map().at("color"), "blue");
    copy = {};
    EXPECT_EQ(copy.size(), 0U);
    EXPECT_EQ(copy, Attributes());
    EXPECT_FALSE(copy == some);
    static_assert(sizeof(Attributes) == sizeof(void*) && sizeof(Boxes) == sizeof(void*));
}

}  // namespace
}  // namespace muster
