#include "roles/session/stages.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Service kOrders{.data_id = "orders"};
const Service kCarts{.data_id = "carts"};

std::uint64_t count_of(const Stages::Measured& measured, Stage stage) {
    std::uint64_t count = 0;
    for (const auto& told : measured.stages) {
        if (told.stage == stage) {
            for (const std::uint64_t one : told.counts) {
                count += one;
            }
        }
    }
    return count;
}

TEST(Stages, MeasuresAServiceOnlyWhileItIsAskedFor) {
    Stages stages;
    const MonoTime now{seconds(1)};
    stages.record(Stage::end_to_end, milliseconds(3), kOrders);
    EXPECT_FALSE(stages.of(kOrders));
    stages.measure(kOrders, now, now + seconds(60));
    stages.record(Stage::end_to_end, milliseconds(4), kOrders);
    stages.record(Stage::end_to_end, milliseconds(-4), kOrders);
    stages.record(Stage::end_to_end, milliseconds(5), kCarts);
    const auto measured = stages.of(kOrders);
    ASSERT_TRUE(measured);
    EXPECT_EQ(measured->since, now);
    EXPECT_EQ(count_of(*measured, Stage::end_to_end), 1U);
    EXPECT_EQ(count_of(*measured, Stage::push_to_ack), 0U);
    ASSERT_EQ(measured->stages.size(), kStages);
    EXPECT_EQ(measured->stages.back().max_us, 4000U);
    EXPECT_EQ(measured->stages.back().below_zero, 1U);
    stages.expire(now + seconds(59));
    EXPECT_TRUE(stages.of(kOrders));
    stages.expire(now + seconds(60));
    EXPECT_FALSE(stages.of(kOrders));
}

TEST(Stages, GoesOnWithWhatWasCountedWhenItIsAskedForAgain) {
    Stages stages;
    const MonoTime now{seconds(1)};
    stages.measure(kOrders, now, now + seconds(60));
    stages.record(Stage::session_to_push, milliseconds(4), kOrders);
    stages.measure(kOrders, now + seconds(30), now + seconds(31));
    EXPECT_EQ(count_of(*stages.of(kOrders), Stage::session_to_push), 1U);
    stages.expire(now + seconds(59));
    EXPECT_TRUE(stages.of(kOrders)) << "never for less long than it was asked for";
}

TEST(Stages, KeepsNoMoreServicesThanItsBound) {
    Stages stages;
    const MonoTime now{seconds(1)};
    for (std::size_t i = 0; i < Stages::kServicesMax; ++i) {
        stages.measure({.data_id = "s" + std::to_string(i)}, now, now + seconds(i == 3 ? 10 : 20));
    }
    stages.measure(kOrders, now, now + seconds(5));
    EXPECT_TRUE(stages.of(kOrders));
    EXPECT_FALSE(stages.of({.data_id = "s3"})) << "its time was over first";
    EXPECT_TRUE(stages.of({.data_id = "s4"}));
}

}  // namespace
}  // namespace muster::session
