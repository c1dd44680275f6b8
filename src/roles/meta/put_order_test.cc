#include "roles/meta/put_order.h"

#include <gtest/gtest.h>

namespace muster::meta {
namespace {

TEST(PutOrder, AdmitsEachTurnOnceAndTellsWhatBecameOfIt) {
    PutOrder order;
    order.begin_term(3);
    const auto turn = order.next_turn();
    ASSERT_EQ(order.admit("key", turn), nullptr);
    auto again = order.admit("key", turn);
    ASSERT_TRUE(again.has_value() && *again != nullptr);
    EXPECT_FALSE((*again)->has_value());
    order.finish("key", turn, Version(7));
    again = order.admit("key", turn);
    ASSERT_TRUE(again.has_value() && *again != nullptr && (*again)->has_value());
    EXPECT_EQ((**again)->value(), Version(7));
}

TEST(PutOrder, RefusesWhatIsOvertakenOnItsKeyOnly) {
    PutOrder order;
    order.begin_term(3);
    const auto early = order.next_turn();
    const auto late = order.next_turn();
    ASSERT_EQ(order.admit("key", late), nullptr);
    EXPECT_EQ(order.admit("key", early).error().code, Errc::conflict);
    EXPECT_EQ(order.admit("other", early), nullptr);
}

TEST(PutOrder, RefusesTurnsItDidNotGive) {
    PutOrder order;
    order.begin_term(3);
    const auto early = order.next_turn();
    EXPECT_EQ(order.admit("key", {.term = 3, .number = 2}).error().code, Errc::conflict);
    EXPECT_EQ(order.admit("key", {.term = 3, .number = 0}).error().code, Errc::conflict);
    order.begin_term(4);
    (void)order.next_turn();
    EXPECT_EQ(order.admit("key", early).error().code, Errc::conflict);
    EXPECT_EQ(order.admit("key", {.term = 5, .number = 1}).error().code, Errc::conflict);
}

TEST(PutOrder, KeepsABoundedNumberOfKeysAndTheirOrder) {
    PutOrder order;
    order.begin_term(1);
    const auto early = order.next_turn();
    for (std::size_t i = 0; i < PutOrder::kKeysMax; ++i) {
        ASSERT_EQ(order.admit("key " + std::to_string(i), order.next_turn()), nullptr);
    }
    ASSERT_EQ(order.admit("one more", order.next_turn()), nullptr);
    EXPECT_EQ(order.admit("key 5", early).error().code, Errc::conflict);
    EXPECT_EQ(order.admit("never seen", early).error().code, Errc::conflict);
    EXPECT_EQ(order.admit("key 5", order.next_turn()), nullptr);
}

}  // namespace
}  // namespace muster::meta
