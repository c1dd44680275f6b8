#include "runtime/net/send_queue.h"

#include <array>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::runtime {
namespace {

std::string content(const SendQueue& queue) {
    std::array<iovec, 64> parts{};
    std::string all;
    const std::size_t count = queue.gather(parts);
    for (std::size_t i = 0; i < count; ++i) {
        all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    }
    return all;
}

TEST(SendQueue, KeepsTheOrderOfOwnAndSharedParts) {
    SendQueue queue;
    const auto body = std::make_shared<const std::string>(5000, 'b');
    queue.push(std::string("head"), 2);
    queue.push(body);
    queue.push(std::string("tail"));
    EXPECT_EQ(queue.bytes(), 5006U);
    EXPECT_EQ(content(queue), "ad" + *body + "tail");
    queue.consume(3);
    EXPECT_EQ(content(queue), body->substr(1) + "tail");
}

TEST(SendQueue, SharesBigBodiesAndLetsGoOfThemOnceWritten) {
    SendQueue queue;
    const auto body = std::make_shared<const std::string>(5000, 'b');
    queue.push(body);
    queue.push(std::string("x"));
    EXPECT_EQ(body.use_count(), 2);
    queue.consume(5000);
    EXPECT_EQ(body.use_count(), 1);
}

TEST(SendQueue, MergesSmallPartsSoThatMemoryFollowsTheByteCount) {
    SendQueue queue;
    const auto small = std::make_shared<const std::string>("s");
    for (int i = 0; i < 10'000; ++i) {
        queue.push(std::string("o"));
        queue.push(small);
    }
    std::array<iovec, 64> parts{};
    EXPECT_EQ(queue.gather(parts), 2U);
    EXPECT_EQ(queue.bytes(), 20'000U);
}

TEST(SendQueue, AgreesWithAPlainStringUnderRandomOperations) {
    Prng prng(3);
    SendQueue queue;
    std::string reference;
    char next = 'a';
    for (int step = 0; step < 20'000; ++step) {
        const auto size = static_cast<std::size_t>(prng.below(prng.chance(1, 10) ? 6000 : 40));
        const std::string part(size, next);
        next = next == 'z' ? 'a' : static_cast<char>(next + 1);
        const std::size_t skip =
            queue.empty() && size > 0 ? static_cast<std::size_t>(prng.below(size)) : 0;
        if (prng.chance(1, 2)) {
            queue.push(part, skip);
        } else {
            queue.push(std::make_shared<const std::string>(part), skip);
        }
        reference += part.substr(skip);
        const auto take = static_cast<std::size_t>(prng.below(reference.size() + 1));
        if (prng.chance(1, 2)) {
            queue.consume(take);
            reference.erase(0, take);
        }
        ASSERT_EQ(queue.bytes(), reference.size());
        if (!reference.empty()) {
            const std::string seen = content(queue);
            ASSERT_EQ(seen, reference.substr(0, seen.size()));
            ASSERT_FALSE(seen.empty());
        }
    }
}

}  // namespace
}  // namespace muster::runtime
