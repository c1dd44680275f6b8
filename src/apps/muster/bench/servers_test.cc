#include "apps/muster/bench/servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using testing::HasSubstr;

TEST(BenchServers, AreHostsAndPortsWithCommas) {
    const auto found = find_servers("127.0.0.1:9600,[::1]:9601");
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->size(), 2U);
    EXPECT_EQ((*found)[0].at.ss_family, AF_INET);
    EXPECT_EQ((*found)[1].at.ss_family, AF_INET6);
    EXPECT_EQ((*found)[1].text, "[::1]:9601");
}

TEST(BenchServers, OfAnotherFormAreRefused) {
    for (const char* text : {"", "localhost", ":9600", "127.0.0.1:", "127.0.0.1:9600,"}) {
        const auto found = find_servers(text);
        ASSERT_FALSE(found.has_value()) << text;
        EXPECT_EQ(found.error().code, Errc::invalid_argument) << text;
    }
    EXPECT_THAT(find_servers("http://127.0.0.1:9603").error().detail,
                HasSubstr("client port (bolt.listen"));
}

TEST(BenchServers, AnAnswerThatIsNoneIsNamed) {
    EXPECT_THAT(explain_answer("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("speaks HTTP"));
    EXPECT_THAT(explain_answer("SSH-2.0-OpenSSH"), HasSubstr("not Muster's"));
}

}  // namespace
}  // namespace muster::cli::bench
