#include "sim/fan_out/fan_out.h"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include <gtest/gtest.h>

namespace {

// Of this process, which runs nothing but these tests.
struct Allocations {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
};
Allocations allocations;

void* counted(std::size_t bytes) {
    ++allocations.count;
    allocations.bytes += bytes;
    void* made = std::malloc(bytes);
    if (made == nullptr) {
        std::abort();
    }
    return made;
}

}  // namespace

void* operator new(std::size_t bytes) {
    return counted(bytes);
}
void* operator new[](std::size_t bytes) {
    return counted(bytes);
}
void operator delete(void* made) noexcept {
    std::free(made);
}
void operator delete[](void* made) noexcept {
    std::free(made);
}
void operator delete(void* made, std::size_t /*bytes*/) noexcept {
    std::free(made);
}
void operator delete[](void* made, std::size_t /*bytes*/) noexcept {
    std::free(made);
}

namespace muster::sim {
namespace {

constexpr std::size_t kFew = 10;
constexpr std::size_t kMany = 1000;

// Of the third change: what keeps its memory has it by then.
Allocations of_a_change(const FanOutSize& size) {
    FanOut fan_out(size);
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(fan_out.change());
        fan_out.acknowledge();
    }
    const Allocations before = allocations;
    EXPECT_TRUE(fan_out.change());
    return {.count = allocations.count - before.count, .bytes = allocations.bytes - before.bytes};
}

struct PerConnection {
    double count = 0;
    double bytes = 0;
};

// What each connection more adds to a change.
PerConnection per_connection(const FanOutSize& few, const FanOutSize& many) {
    const Allocations less = of_a_change(few);
    const Allocations more = of_a_change(many);
    const auto connections = static_cast<double>(many.native + many.java - few.native - few.java);
    return {.count = static_cast<double>(more.count - less.count) / connections,
            .bytes = static_cast<double>(more.bytes - less.bytes) / connections};
}

PerConnection per_native(std::size_t publications) {
    return per_connection({.native = kFew, .publications = publications},
                          {.native = kMany, .publications = publications});
}

PerConnection per_java(std::size_t publications) {
    return per_connection({.native = 1, .java = kFew, .publications = publications},
                          {.native = 1, .java = kMany, .publications = publications});
}

// Measured: 3.0 allocations and 245 bytes, its head and tail among them; for a Java client, whose
// door keeps what is not answered, 7.0 and 512.
TEST(FanOut, CostsAConnectionAFewSmallAllocationsWhateverTheList) {
    const PerConnection native = per_native(10);
    EXPECT_LE(native.count, 3.2);
    EXPECT_LE(native.bytes, 270);
    EXPECT_GE(native.count, 1) << "they are counted";
    const PerConnection java = per_java(10);
    EXPECT_LE(java.count, 7.2);
    EXPECT_LE(java.bytes, 540);
    EXPECT_GE(java.count, 1);
    for (const std::size_t publications : {500U, 1000U}) {
        EXPECT_DOUBLE_EQ(per_native(publications).count, native.count) << publications;
        EXPECT_DOUBLE_EQ(per_native(publications).bytes, native.bytes) << publications;
        EXPECT_DOUBLE_EQ(per_java(publications).count, java.count) << publications;
        EXPECT_DOUBLE_EQ(per_java(publications).bytes, java.bytes) << publications;
    }
}

TEST(FanOut, EncodesOneBodyForAllConnectionsOfADialect) {
    FanOut fan_out({.native = kMany, .java = kMany, .publications = 500});
    for (std::uint64_t changes = 1; changes <= 3; ++changes) {
        ASSERT_TRUE(fan_out.change());
        EXPECT_EQ(fan_out.native_encoded(), 1 + changes) << "and the list once, at first";
        EXPECT_EQ(fan_out.java_encoded(), 1 + changes);
        for (const CountingPort* port : {&fan_out.native_port(), &fan_out.java_port()}) {
            EXPECT_EQ(port->sent().pushes, kMany);
            ASSERT_EQ(port->bodies().size(), 1U);
            EXPECT_EQ(port->sent().total_bytes,
                      port->sent().own_bytes + kMany * port->bodies().front()->size());
        }
        // Made for one: a frame's head with the class name, and the subscription's id.
        EXPECT_EQ(fan_out.native_port().sent().own_bytes, kMany * 74);
        EXPECT_EQ(fan_out.java_port().sent().own_bytes, kMany * 113);
        EXPECT_LT(fan_out.native_port().bodies().front()->size(), 300U) << "one of 500";
        EXPECT_GT(fan_out.java_port().bodies().front()->size(), 20'000U) << "all 500";
        fan_out.acknowledge();
    }
}

TEST(FanOut, TellsNativeConnectionsAsMuchOfAShortListAsOfALongOne) {
    std::vector<std::size_t> bodies;
    for (const std::size_t publications : {10U, 1000U}) {
        FanOut fan_out({.native = kMany, .publications = publications});
        ASSERT_TRUE(fan_out.change());
        ASSERT_EQ(fan_out.native_port().bodies().size(), 1U);
        bodies.push_back(fan_out.native_port().bodies().front()->size());
        EXPECT_EQ(fan_out.native_port().sent().own_bytes, kMany * 74);
    }
    EXPECT_NEAR(static_cast<double>(bodies[0]), static_cast<double>(bodies[1]), 8)
        << "lengths of numbers differ";
}

}  // namespace
}  // namespace muster::sim
