#include "roles/data/catch_up.h"

#include <gtest/gtest.h>

namespace muster::data {
namespace {

using std::chrono::seconds;

constexpr MonoTime kStart{seconds(1000)};

class CatchingUp : public ::testing::Test {
protected:
    void after(Duration time, const CatchUp::Missing& missing) {
        now += time;
        catch_up.look(missing, now);
    }
    static CatchUp::Missing unsynced(std::size_t slots, std::uint64_t parts = 0) {
        return {.followed = 9, .unsynced = slots, .of = {NodeId("d2")}, .parts_loaded = parts};
    }

    MonoTime now = kStart;
    CatchUp catch_up{seconds(30)};
};

TEST_F(CatchingUp, IsOverWhenNothingIsMissing) {
    EXPECT_NE(catch_up.waits_for(), "") << "before anything was looked at";
    after(seconds(0), {.table = true});
    EXPECT_FALSE(catch_up.over());
    after(seconds(1), unsynced(9));
    EXPECT_EQ(catch_up.waits_for(), "9 of 9 slots it follows are not synced yet with d2");
    after(seconds(1), unsynced(0));
    EXPECT_TRUE(catch_up.over());
    EXPECT_FALSE(catch_up.gave_up());
    after(seconds(1), unsynced(3));
    EXPECT_TRUE(catch_up.over()) << "for this life";
    EXPECT_EQ(catch_up.waits_for(), "");
}

TEST_F(CatchingUp, WaitsAsLongAsItComesNearer) {
    after(seconds(0), unsynced(9));
    for (std::uint64_t part = 1; part < 20; ++part) {
        after(seconds(29), unsynced(9, part));
    }
    for (std::size_t left = 8; left > 0; --left) {
        after(seconds(29), unsynced(left, 20));
        EXPECT_FALSE(catch_up.over());
    }
    // Others that take its place are no progress.
    after(seconds(29), unsynced(5, 20));
    EXPECT_FALSE(catch_up.over());
    after(seconds(1), unsynced(5, 20));
    EXPECT_TRUE(catch_up.gave_up());
}

TEST_F(CatchingUp, GivesUpWhenNobodyAnswers) {
    after(seconds(0), unsynced(9));
    after(seconds(29), unsynced(9));
    EXPECT_FALSE(catch_up.over());
    catch_up.extend(seconds(20));  // we stood still
    after(seconds(20), unsynced(9));
    EXPECT_FALSE(catch_up.over());
    after(seconds(1), unsynced(9));
    EXPECT_TRUE(catch_up.gave_up());
    EXPECT_NE(catch_up.waits_for(), "");
}

TEST_F(CatchingUp, NeverGivesUpWhatItCannotServeWithout) {
    after(seconds(0), {.table = true});
    after(seconds(1000), {.table = true});
    EXPECT_FALSE(catch_up.over());
    after(seconds(1000), {.lost = 3, .followed = 9, .unsynced = 9});
    EXPECT_FALSE(catch_up.over());
    after(seconds(1000), {.versions = true});
    EXPECT_FALSE(catch_up.over());
    // Leaders are given their time from then on.
    after(seconds(1000), unsynced(9));
    EXPECT_FALSE(catch_up.over());
    after(seconds(30), unsynced(9));
    EXPECT_TRUE(catch_up.gave_up());
}

TEST_F(CatchingUp, NamesAFewOfManyLeaders) {
    after(seconds(0), {.followed = 50,
                       .unsynced = 40,
                       .of = {NodeId("a"), NodeId("b"), NodeId("c"), NodeId("d"), NodeId("e")}});
    EXPECT_EQ(catch_up.waits_for(),
              "40 of 50 slots it follows are not synced yet with a, b, c and 2 others");
}

}  // namespace
}  // namespace muster::data
