#include "base/compression.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(Compression, GivesBackWhatItWasGiven) {
    std::string long_text;
    for (int i = 0; i < 100'000; ++i) {
        long_text += std::to_string(i % 977) + ";";
    }
    for (const std::string& text : {std::string(), std::string("a"), long_text}) {
        for (const int level : {1, 3, 19}) {
            const auto back = decompress(compress(text, level), long_text.size());
            ASSERT_TRUE(back.has_value());
            EXPECT_EQ(*back, text);
        }
    }
    EXPECT_LT(compress(long_text, 1).size(), long_text.size() / 10);
}

TEST(Compression, UnpacksNoMoreThanItMay) {
    const std::string frame = compress(std::string(1 << 20, 'x'), 3);
    EXPECT_LT(frame.size(), 1000U);
    const auto more = decompress(frame, (1 << 20) - 1);
    ASSERT_FALSE(more.has_value());
    EXPECT_EQ(more.error().code, Errc::too_large);
    EXPECT_TRUE(decompress(frame, 1 << 20).has_value());
}

TEST(Compression, RefusesWhatIsNotOneWholeFrame) {
    const std::string frame = compress("orders at 10.0.0.7:80, orders at 10.0.0.8:80", 1);
    const auto code_of = [](const std::string& bytes) {
        const auto got = decompress(bytes, 1000);
        return got ? Errc::internal : got.error().code;
    };
    EXPECT_EQ(code_of(""), Errc::bad_content);
    EXPECT_EQ(code_of("no frame"), Errc::bad_content);
    for (std::size_t size = 1; size < frame.size(); ++size) {
        EXPECT_EQ(code_of(frame.substr(0, size)), Errc::bad_content) << size;
    }
    EXPECT_EQ(code_of(frame + "x"), Errc::bad_content);
    EXPECT_EQ(code_of(frame + frame), Errc::bad_content);
}

}  // namespace
}  // namespace muster
