// Runs the examples of sdk/examples against a registry.
#include <array>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "registry_process.h"

namespace muster::sdk_test {
namespace {

// What the shell command prints; its exit status is the last line.
std::string output_of(const std::string& command) {
    FILE* pipe = ::popen((command + "; echo status $?").c_str(), "r");
    std::string text;
    std::array<char, 1024> part;
    while (pipe != nullptr && std::fgets(part.data(), part.size(), pipe) != nullptr) {
        text += part.data();
    }
    if (pipe != nullptr) {
        ::pclose(pipe);
    }
    return text;
}

TEST(SdkExamples, DoWhatTheySay) {
    RegistryProcess registry;
    ASSERT_TRUE(registry.start());
    const std::string examples = EXAMPLES;
    EXPECT_EQ(output_of(examples + "/example_minimal " + registry.bolt()),
              "DEFAULT_INSTANCE_ID/DEFAULT_GROUP/minimal 127.0.0.1:8080 weight 100\nstatus 0\n");
    // The consumer runs while the provider waits for its input to end.
    const std::string both =
        output_of("{ " + examples + "/example_consumer orders " + registry.bolt() +
                  " </dev/null >&2; } 2>&1 | cat; sleep 0.1 | " + examples +
                  "/example_provider orders 127.0.0.1 8080 " + registry.bolt());
    EXPECT_NE(both.find("orders: 0 endpoints"), std::string::npos) << both;
    EXPECT_NE(both.find("registered orders\nstatus 0\n"), std::string::npos) << both;
}

}  // namespace
}  // namespace muster::sdk_test
