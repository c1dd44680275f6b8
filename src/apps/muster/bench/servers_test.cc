#include "apps/muster/bench/servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/golden/golden_vectors.h"

namespace muster::cli::bench {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

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

// What an unmodified Java peer said.
std::string java(const std::string& name) {
    const auto vector = golden::read_vector(golden::folder(MUSTER_SOURCE_ROOT), name);
    EXPECT_TRUE(vector.has_value()) << name;
    return vector ? vector->bytes : std::string();
}

TEST(BenchServers, OfTheJavaDialectAnswerAHeartbeat) {
    const std::string ack = java("v542-heartbeat-ack");
    EXPECT_TRUE(is_answer(ack, "h:1", Speech::java).value());
    EXPECT_FALSE(
        is_answer(std::string_view(ack).substr(0, ack.size() - 1), "h:1", Speech::java).value())
        << "there is more to come";
    const auto native = is_answer(ack, "h:1", Speech::native);
    ASSERT_FALSE(native.has_value());
    EXPECT_THAT(native.error().detail, HasSubstr("not Muster's native protocol"));
}

TEST(BenchServers, ThatAskInsteadOfAnsweringAreStrangers) {
    for (const char* name : {"v663-heartbeat-request", "v663-push-data-basic", "v663-oneway-v1"}) {
        for (const Speech speech : {Speech::java, Speech::native}) {
            const auto greeting = is_answer(java(name), "h:1", speech);
            ASSERT_FALSE(greeting.has_value()) << name;
            EXPECT_EQ(greeting.error().code, Errc::bad_frame);
            EXPECT_THAT(greeting.error().detail,
                        AllOf(StartsWith("h:1 speaks SOFABolt but asks"), HasSubstr("--server")));
        }
    }
}

TEST(BenchServers, ThatSpeakSomethingElseAreNamed) {
    const auto greeting = is_answer("HTTP/1.1 400 Bad Request\r\n", "h:1", Speech::java);
    ASSERT_FALSE(greeting.has_value());
    EXPECT_THAT(greeting.error().detail, StartsWith("h:1 speaks HTTP"));
}

}  // namespace
}  // namespace muster::cli::bench
