#include "roles/session/handover.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HandoverTest : public testing::Test {
protected:
    void begin(std::size_t native, std::size_t others) {
        for (std::size_t i = 1; i <= native + others; ++i) {
            guests.push_back({env::ConnId(i), i <= native});
        }
        handover.begin(now, guests.size());
    }
    Handover::Step step(Duration after = {}) {
        now += after;
        return handover.step(now, guests, around);
    }

    MonoTime now{seconds(1000)};
    Handover handover{{.steps = 4, .least = 2}};
    std::vector<Handover::Guest> guests;
    Handover::Surroundings around{.elsewhere = true, .unlisted = true, .quiet = true};
};

TEST_F(HandoverTest, AsksAndClosesAShareAtEachStep) {
    begin(6, 6);
    const auto first = step();
    EXPECT_EQ(first.ask, (std::vector{env::ConnId(1), env::ConnId(2), env::ConnId(3)}));
    EXPECT_EQ(first.close, (std::vector{env::ConnId(7), env::ConnId(8), env::ConnId(9)}));
    EXPECT_FALSE(first.done);
    const auto next = step(milliseconds(100));
    EXPECT_EQ(next.ask, (std::vector{env::ConnId(4), env::ConnId(5), env::ConnId(6)}));
}

TEST_F(HandoverTest, ClosesNobodyBeforeTheListsNameUsNoLonger) {
    begin(0, 2);
    around.unlisted = false;
    EXPECT_TRUE(step().close.empty());
    EXPECT_TRUE(step(milliseconds(999)).close.empty());
    EXPECT_EQ(step(milliseconds(1)).close.size(), 2U) << "the metas may be away";
}

TEST_F(HandoverTest, AsksAgainWhoIsStillHere) {
    begin(1, 0);
    EXPECT_EQ(step().ask.size(), 1U);
    EXPECT_TRUE(step(milliseconds(2999)).ask.empty());
    EXPECT_EQ(step(milliseconds(1)).ask.size(), 1U);
}

TEST_F(HandoverTest, EndsWhenAllAreGoneAndWhatTheySaidIsTaken) {
    begin(1, 0);
    (void)step();
    guests.clear();
    around.quiet = false;
    EXPECT_FALSE(step().done);
    around.quiet = true;
    EXPECT_TRUE(step().done);
}

TEST_F(HandoverTest, EndsAtItsBoundAndAtOnceWhenThereIsNobodyToGoTo) {
    begin(1, 1);
    EXPECT_FALSE(step(milliseconds(9999)).done);
    EXPECT_TRUE(step(milliseconds(1)).done);
    Handover lonely{{}};
    lonely.begin(now, 2);
    around.elsewhere = false;
    EXPECT_TRUE(lonely.step(now, guests, around).done);
}

TEST_F(HandoverTest, DoesNotCountItsOwnPause) {
    begin(1, 0);
    handover.extend(seconds(20));
    EXPECT_FALSE(step(seconds(20)).done);
}

}  // namespace
}  // namespace muster::session
