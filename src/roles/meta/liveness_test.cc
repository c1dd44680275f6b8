#include "roles/meta/liveness.h"

#include <gtest/gtest.h>

namespace muster::meta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr LivenessOptions kOptions{
    .lease = seconds(1), .sign_wait = milliseconds(400), .doubt = seconds(30)};
const NodeId kNode("data-1");
const NodeId kReporter("data-2");
const MonoTime kStart{seconds(100)};

class LivenessOf : public ::testing::Test {
protected:
    void hear(std::uint64_t life, MonoTime at) {
        liveness.hear({.node = kNode, .role = Role::data},
                      {.incarnation = Incarnation(life), .last = at});
    }
    // Both signs.
    void see_it_end(MonoTime at) {
        liveness.closed(kNode, at);
        liveness.report(kReporter, {{kNode}}, at);
    }
    void take_back(MonoTime at) {
        liveness.up(kNode);
        liveness.report(kReporter, {}, at);
    }

    Liveness liveness{kOptions};
};

TEST_F(LivenessOf, ALifeHeardAfterItsEndWasBelievedIsJudgedByItsLease) {
    hear(1, kStart);
    see_it_end(kStart);
    ASSERT_TRUE(liveness.ends_at(kNode, kStart));
    liveness.believe_ended(kNode);
    hear(1, kStart + milliseconds(100));
    take_back(kStart + milliseconds(100));
    see_it_end(kStart + seconds(2));
    EXPECT_FALSE(liveness.ends_at(kNode, kStart + seconds(2)));
    EXPECT_TRUE(liveness.ends_at(kNode, kStart + seconds(31)));
}

// The report was long on its way, or its sender has not heard of the new life yet.
TEST_F(LivenessOf, ANewLifeIsNotTakenForDeadBecauseTheOneBeforeEnded) {
    hear(2, kStart);
    liveness.closed(kNode, kStart);
    liveness.report(kReporter, {{kNode, Incarnation(1)}}, kStart);
    EXPECT_NE(liveness.ends_at(kNode, kStart), kStart) << "one sign waits to be answered";
    liveness.report(kReporter, {{kNode, Incarnation(2)}}, kStart);
    EXPECT_EQ(liveness.ends_at(kNode, kStart), kStart);
}

TEST_F(LivenessOf, ANewLifeIsBelievedToEndAsSoonAsTheFirst) {
    hear(1, kStart);
    see_it_end(kStart);
    liveness.believe_ended(kNode);
    hear(2, kStart + seconds(1));
    take_back(kStart + seconds(1));
    see_it_end(kStart + seconds(2));
    EXPECT_EQ(liveness.ends_at(kNode, kStart + seconds(2)), kStart + seconds(2));
}

}  // namespace
}  // namespace muster::meta
