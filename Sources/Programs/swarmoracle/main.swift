import CommandLineTool
import Glibc
import NodeRuntime

let tool = Tool.standard { NodeProgram.run(configuration: $0) }
exit(tool.run(Array(CommandLine.arguments.dropFirst()), console: .standard()))
