#include "roles/session/resend_timer.h"

#include <gtest/gtest.h>

namespace muster::session {
namespace {

using std::chrono::milliseconds;

class ResendTimerTest : public ::testing::Test {
protected:
    ResendTimer timer{milliseconds(100), milliseconds(1000)};
};

TEST_F(ResendTimerTest, WaitsTheLeastUntilSomethingWasAnswered) {
    EXPECT_EQ(timer.wait(), milliseconds(100));
}

TEST_F(ResendTimerTest, WaitsTheLeastForQuickAnswers) {
    timer.answered(milliseconds(1));
    EXPECT_EQ(timer.wait(), milliseconds(100));
}

TEST_F(ResendTimerTest, BeginsWithTheFirstAnswerAndTwiceThatAsItsVariation) {
    timer.answered(milliseconds(200));
    EXPECT_EQ(timer.wait(), milliseconds(600)) << "RFC 6298, 2.2: R + 4 * R/2";
}

TEST_F(ResendTimerTest, FollowsAnswersAsTheRfcDoes) {
    timer.answered(milliseconds(80));
    timer.answered(milliseconds(160));
    // RTTVAR = 3/4 * 40 + 1/4 * 80 = 50, SRTT = 7/8 * 80 + 1/8 * 160 = 90
    EXPECT_EQ(timer.wait(), milliseconds(290));
}

TEST_F(ResendTimerTest, ComesDownAgain) {
    timer.answered(milliseconds(900));
    EXPECT_EQ(timer.wait(), milliseconds(1000)) << "the most";
    for (int i = 0; i < 100; ++i) {
        timer.answered(milliseconds(1));
    }
    EXPECT_EQ(timer.wait(), milliseconds(100));
}

}  // namespace
}  // namespace muster::session
