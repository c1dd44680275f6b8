#include "sim/scale/scale_size.h"

#include <gtest/gtest.h>

namespace muster::sim {
namespace {

TEST(ScaleSize, ReadsSizesFromSmallToLargeEachOnce) {
    const auto sizes = parse_scale_sizes("300x60,30x6,300x60,100x20");
    ASSERT_TRUE(sizes.has_value());
    EXPECT_EQ(*sizes, (std::vector<ScaleSize>{{.data = 6, .sessions = 30},
                                              {.data = 20, .sessions = 100},
                                              {.data = 60, .sessions = 300}}));
}

TEST(ScaleSize, SaysWhatItWantsInsteadOfWhatIsNoSize) {
    for (const char* wrong :
         {"", "x", "30", "30x", "x6", "30X6", "30x6,", ",30x6", "30x6x3", "-30x6", "30 x 6", "2x6",
          "30x2", "1001x6", "30x301", "99999999999x6"}) {
        const auto sizes = parse_scale_sizes(wrong);
        ASSERT_FALSE(sizes.has_value()) << wrong;
        EXPECT_EQ(sizes.error().code, Errc::invalid_argument);
        EXPECT_NE(sizes.error().detail.find("as in 30x6,300x60"), std::string::npos) << wrong;
    }
    EXPECT_TRUE(parse_scale_sizes("3x3,1000x300").has_value());
}

}  // namespace
}  // namespace muster::sim
